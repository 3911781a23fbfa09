#include "operators.hpp"

#include <isofield/linalg.hpp>

#include "binding.hpp"
#include "pointwise.hpp"

namespace isofield::python {
namespace {

/// Run `f` for the interpreter: null and Python's error where it throws.
template <class F>
PyObject* guarded(F&& f) noexcept {
  try {
    return f();
  } catch (...) {
    set_error();
    return nullptr;
  }
}

PyObject* not_implemented() noexcept {
  Py_INCREF(Py_NotImplemented);
  return Py_NotImplemented;
}

/// The answer to an operand that is no array, nor a number where one is taken. What holds elements
/// is refused here: the other side would take an array for one element, or call two of them
/// different objects.
PyObject* unmatched(PyObject* other) {
  if (scalar_in(other)) return not_implemented();  // a product of matrices takes none
  if (PyLong_Check(other)) {
    PyErr_SetString(PyExc_OverflowError, "an int beside an array must fit into 64 bits");
    return nullptr;
  }
  if (!holds_elements(other)) return not_implemented();
  const std::string type = nb::cast<std::string>(nb::handle(other).type().attr("__name__"));
  throw nb::type_error(("operators take arrays and numbers, not " + type +
                        ": make it an array with isofield.asarray")
                           .c_str());
}

template <Binary F>
PyObject* binary(PyObject* a, PyObject* b) noexcept {
  return guarded([&] {
    auto x = operand_in(a), y = operand_in(b);
    if (!x || !y) return unmatched(x ? b : a);
    return wrap(apply(F, std::move(*x), std::move(*y)));
  });
}

template <Binary F>
PyObject* in_place(PyObject* self, PyObject* other) noexcept {
  return guarded([&] {
    auto y = operand_in(other);
    if (!y) return unmatched(other);
    UnifiedArray& target = array_in(self);
    UnifiedArray result = apply(F, Operand(target, nowhere), std::move(*y));
    if (result.shape() != target.shape())
      throw ShapeError("shape " + to_string(result.shape()) +
                       " does not fit into the array on the left, of shape " +
                       to_string(target.shape()));
    if (result.dtype() != target.dtype()) {
      if (kind(result.dtype()) != kind(target.dtype()))
        throw DTypeError("a result of dtype " + std::string(name(result.dtype())) +
                         " does not go into the array on the left, of dtype " +
                         std::string(name(target.dtype())));
      result = result.astype(target.dtype());
    }
    target = std::move(result);
    Py_INCREF(self);
    return self;
  });
}

template <Unary F>
PyObject* unary(PyObject* self) noexcept {
  return guarded([&] { return wrap(apply(F, Operand(array_in(self), nowhere))); });
}

PyObject* quotient_and_rest(PyObject* a, PyObject* b) noexcept {
  PyObject* quotient = binary<&floor_divide>(a, b);
  if (!quotient || quotient == Py_NotImplemented) return quotient;
  return guarded([&]() -> PyObject* {
    const nb::object first = nb::steal(quotient), second = nb::steal(binary<&remainder>(a, b));
    if (!second.is_valid()) return nullptr;
    return nb::make_tuple(first, second).release().ptr();
  });
}

template <Binary F>
PyObject* ternary(PyObject* a, PyObject* b, PyObject* modulus) noexcept {
  if (modulus != Py_None) return not_implemented();
  return binary<F>(a, b);
}
template <Binary F>
PyObject* ternary_in_place(PyObject* self, PyObject* b, PyObject*) noexcept {
  return in_place<F>(self, b);
}

PyObject* product(PyObject* a, PyObject* b) noexcept {
  return guarded([&] {
    if (!is_array(a) || !is_array(b)) return unmatched(is_array(a) ? b : a);
    Operand x(array_in(a), nowhere), y(array_in(b), nowhere);
    return wrap(unlocked([&] { return linalg::matmul(std::move(x), std::move(y)); }));
  });
}
PyObject* product_in_place(PyObject* self, PyObject* other) noexcept {
  PyObject* result = product(self, other);
  if (!result || result == Py_NotImplemented) return result;
  return guarded([&]() -> PyObject* {
    const nb::object owner = nb::steal(result);
    UnifiedArray& target = array_in(self);
    if (array_in(result).shape() != target.shape() || array_in(result).dtype() != target.dtype())
      throw ShapeError("matmul: a product of shape " + to_string(array_in(result).shape()) +
                       " does not fit into the array on the left, of shape " +
                       to_string(target.shape()));
    target = array_in(result);
    Py_INCREF(self);
    return self;
  });
}

PyObject* compare(PyObject* a, PyObject* b, int operation) noexcept {
  switch (operation) {
    case Py_EQ: return binary<&equal>(a, b);
    case Py_NE: return binary<&not_equal>(a, b);
    case Py_LT: return binary<&less>(a, b);
    case Py_LE: return binary<&less_equal>(a, b);
    case Py_GT: return binary<&greater>(a, b);
    default: return binary<&greater_equal>(a, b);
  }
}

Scalar item(PyObject* self) {
  const UnifiedArray array = array_in(self);
  const Unlocked lock(is_long(array.shape()) || array.pending());
  return array.item_scalar(nowhere);
}

int truth(PyObject* self) noexcept {
  try {
    if (const UnifiedArray& array = array_in(self); array.size() != 1)
      throw ShapeError("an array of shape " + to_string(array.shape()) + " holds " +
                       std::to_string(array.size()) +
                       " elements and has no truth value; ask any() or all() of it");
    const Scalar value = item(self);
    return value.to<bool>();
  } catch (...) {
    set_error();
    return -1;
  }
}

PyObject* as_int(PyObject* self) noexcept {
  return guarded([&]() -> PyObject* {
    const nb::object number = to_number(array_in(self));
    if (PyComplex_Check(number.ptr()))
      throw nb::type_error("int() of a complex array; take its real part first");
    return PyNumber_Long(number.ptr());
  });
}
PyObject* as_float(PyObject* self) noexcept {
  return guarded([&]() -> PyObject* { return PyNumber_Float(to_number(array_in(self)).ptr()); });
}
PyObject* as_index(PyObject* self) noexcept {
  return guarded([&]() -> PyObject* {
    const UnifiedArray& array = array_in(self);
    if (!is_integer(array.dtype()) || array.ndim() != 0)
      throw nb::type_error("only an array of rank 0 and integer dtype can be an index");
    return to_number(array).release().ptr();
  });
}

Py_ssize_t length(PyObject* self) noexcept {
  const Shape& shape = array_in(self).shape();
  if (!shape.empty()) return static_cast<Py_ssize_t>(shape[0]);
  PyErr_SetString(PyExc_TypeError, "an array of rank 0 has no len()");
  return -1;
}

PyObject* iterate(PyObject* self) noexcept {
  if (array_in(self).ndim() > 0) return PySeqIter_New(self);
  PyErr_SetString(PyExc_TypeError, "an array of rank 0 has nothing to iterate over");
  return nullptr;
}

template <class F>
void* slot(F* function) {
  return reinterpret_cast<void*>(function);
}

}  // namespace

const PyType_Slot array_slots[] = {
    {Py_nb_add, slot(&binary<&add>)},
    {Py_nb_subtract, slot(&binary<&subtract>)},
    {Py_nb_multiply, slot(&binary<&multiply>)},
    {Py_nb_true_divide, slot(&binary<&divide>)},
    {Py_nb_floor_divide, slot(&binary<&floor_divide>)},
    {Py_nb_remainder, slot(&binary<&remainder>)},
    {Py_nb_divmod, slot(&quotient_and_rest)},
    {Py_nb_power, slot(&ternary<&power>)},
    {Py_nb_and, slot(&binary<&bitwise_and>)},
    {Py_nb_or, slot(&binary<&bitwise_or>)},
    {Py_nb_xor, slot(&binary<&bitwise_xor>)},
    {Py_nb_lshift, slot(&binary<&bitwise_left_shift>)},
    {Py_nb_rshift, slot(&binary<&bitwise_right_shift>)},
    {Py_nb_matrix_multiply, slot(&product)},
    {Py_nb_inplace_add, slot(&in_place<&add>)},
    {Py_nb_inplace_subtract, slot(&in_place<&subtract>)},
    {Py_nb_inplace_multiply, slot(&in_place<&multiply>)},
    {Py_nb_inplace_true_divide, slot(&in_place<&divide>)},
    {Py_nb_inplace_floor_divide, slot(&in_place<&floor_divide>)},
    {Py_nb_inplace_remainder, slot(&in_place<&remainder>)},
    {Py_nb_inplace_power, slot(&ternary_in_place<&power>)},
    {Py_nb_inplace_and, slot(&in_place<&bitwise_and>)},
    {Py_nb_inplace_or, slot(&in_place<&bitwise_or>)},
    {Py_nb_inplace_xor, slot(&in_place<&bitwise_xor>)},
    {Py_nb_inplace_lshift, slot(&in_place<&bitwise_left_shift>)},
    {Py_nb_inplace_rshift, slot(&in_place<&bitwise_right_shift>)},
    {Py_nb_inplace_matrix_multiply, slot(&product_in_place)},
    {Py_nb_negative, slot(&unary<&negative>)},
    {Py_nb_positive, slot(&unary<&positive>)},
    {Py_nb_absolute, slot(&unary<&isofield::abs>)},
    {Py_nb_invert, slot(&unary<&bitwise_invert>)},
    {Py_nb_bool, slot(&truth)},
    {Py_nb_int, slot(&as_int)},
    {Py_nb_float, slot(&as_float)},
    {Py_nb_index, slot(&as_index)},
    {Py_tp_richcompare, slot(&compare)},
    {Py_tp_hash, slot(&PyObject_HashNotImplemented)},
    {Py_tp_iter, slot(&iterate)},
    {Py_mp_length, slot(&length)},
    {Py_mp_subscript, slot(&get_item)},
    {Py_mp_ass_subscript, slot(&set_item)},
    {Py_sq_item, slot(&get_entry)},
    {Py_bf_getbuffer, slot(&get_buffer)},
    {Py_bf_releasebuffer, slot(&release_buffer)},
    {0, nullptr},
};

}  // namespace isofield::python
