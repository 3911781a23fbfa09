"""Make the module's functions known to `inspect.signature` and to pickles.

nanobind keeps a function's signature as text, which `inspect` does not read, and does not pickle functions. The types
of its functions belong to this module alone (its domain is `isofield`), so what is missing is set on them.
"""

import ast
import inspect

from . import _core


def _parameters(function):
    """The parameters that the text of a signature names, in order."""
    text = function.__nb_signature__[0][0]
    arguments = ast.parse(text + ": ...").body[0].args
    positional = arguments.posonlyargs + arguments.args
    defaults = [None] * (len(positional) - len(arguments.defaults)) + arguments.defaults
    kinds = [inspect.Parameter.POSITIONAL_ONLY] * len(arguments.posonlyargs)
    kinds += [inspect.Parameter.POSITIONAL_OR_KEYWORD] * len(arguments.args)

    def parameter(argument, kind, default=None):
        return inspect.Parameter(
            argument.arg,
            kind,
            default=inspect.Parameter.empty if default is None else ast.literal_eval(default),
            annotation=ast.unparse(argument.annotation) if argument.annotation else inspect.Parameter.empty,
        )

    result = [parameter(a, k, d) for a, k, d in zip(positional, kinds, defaults)]
    if arguments.vararg:
        result.append(parameter(arguments.vararg, inspect.Parameter.VAR_POSITIONAL))
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults):
        result.append(parameter(argument, inspect.Parameter.KEYWORD_ONLY, default))
    return result


def _signature(function):
    return inspect.Signature(_parameters(function))


def _bound_signature(method):
    return inspect.Signature(_parameters(method)[1:])


def complete():
    """Complete the types of functions, methods and bound methods."""
    method = _core.DType.__reduce__
    _core._set_type_attribute(type(_core.asarray), "__signature__", property(_signature))
    _core._set_type_attribute(type(_core.asarray), "__reduce__", lambda function: function.__name__)
    _core._set_type_attribute(type(method), "__signature__", property(_signature))
    _core._set_type_attribute(
        type(method.__get__(_core.float64)), "__signature__", property(_bound_signature)
    )
