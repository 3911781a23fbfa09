#pragma once

#include <cstdio>
#include <string_view>

namespace isofield::mfg_solve {

/// Print a text to stdout; throw IoError where it cannot be written: a full disk or a closed pipe
/// is an error like any other.
void print_stdout(std::string_view text);

/// Print a text to a stream for messages, as far as it takes it: no run is given up because nobody
/// can be told about it.
void print_message(std::FILE* stream, std::string_view text) noexcept;

/// Print "mfg_solve: MESSAGE" to stderr, as far as it takes it.
void say(std::string_view message);

/// Occupy descriptors 0 to 2 where the caller closed them: no file of ours may get one of these
/// numbers and then be sent messages.
void occupy_standard_descriptors() noexcept;

}  // namespace isofield::mfg_solve
