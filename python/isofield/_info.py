"""What the namespace can do, in the standard's words."""

from . import _core

_kinds = {
    "bool": ("bool",),
    "signed integer": ("int8", "int16", "int32", "int64"),
    "unsigned integer": ("uint8", "uint16", "uint32", "uint64"),
    "real floating": ("float32", "float64"),
    "complex floating": ("complex64", "complex128"),
}
_kinds["integral"] = _kinds["signed integer"] + _kinds["unsigned integer"]
_kinds["numeric"] = _kinds["integral"] + _kinds["real floating"] + _kinds["complex floating"]


class Info:
    """Capabilities, devices and dtypes, for code that must ask."""

    def capabilities(self):
        """Which optional behaviours there are."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 32}

    def default_device(self):
        """The device of new arrays: the backend in force."""
        return _core.get_backend()

    def devices(self):
        """Every device that can be used here."""
        return tuple(spelling for spelling, available, _ in _core.list_backends() if available)

    def default_dtypes(self, *, device=None):
        """The dtypes that new arrays get where none is named."""
        return {
            "real floating": _core.float64,
            "complex floating": _core.complex128,
            "integral": _core.int64,
            "indexing": _core.int64,
        }

    def dtypes(self, *, device=None, kind=None):
        """The dtypes of a kind, of several, or all, by name, that the device's backend computes with."""
        if kind is None:
            names = _kinds["bool"] + _kinds["numeric"]
        elif isinstance(kind, tuple):
            return {name: dtype for k in kind for name, dtype in self.dtypes(device=device, kind=k).items()}
        elif kind in _kinds:
            names = _kinds[kind]
        else:
            raise ValueError(f"dtypes: kind {kind!r} is none of {', '.join(map(repr, _kinds))}")
        known = _core._backend_dtypes(device)
        return {name: getattr(_core, name) for name in names if getattr(_core, name) in known}


def __array_namespace_info__():
    """What this namespace can do: devices, dtypes, capabilities."""
    return Info()
