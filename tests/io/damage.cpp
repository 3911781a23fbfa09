// Files that something damaged after they were written: each harmful change is found.
#include <random>

#include "io/io_test.hpp"

using namespace isofield::io;
using namespace isofield::io::test;

namespace {

enum class Outcome { found, harmless, silent };

struct Sample {
  Folder folder;
  std::string bytes, contents;
  Sample() {
    write_sample(folder / "a.h5", 1, Existing::refuse);
    bytes = bytes_of(folder / "a.h5");
    contents = sample_contents(FileReader(folder / "a.h5"));
  }

  // What a reader who verifies first learns from the file with these bytes.
  Outcome outcome(const std::string& damaged) const {
    write_bytes(folder / "b.h5", damaged);
    try {
      const FileReader file(folder / "b.h5");
      file.verify();
      return sample_contents(file) == contents ? Outcome::harmless : Outcome::silent;
    } catch (const isofield::IoError& error) {
      BOOST_TEST(std::string(error.what()).find("b.h5") != std::string::npos);
      return Outcome::found;
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_flipped_bit_is_found_or_harmless) {
  const Sample sample;
  std::mt19937 random(20261121);
  int found = 0;
  for (std::size_t byte = 0; byte < sample.bytes.size(); byte += 1 + random() % 8) {
    std::string damaged = sample.bytes;
    damaged[byte] = static_cast<char>(damaged[byte] ^ (1 << random() % 8));
    const Outcome outcome = sample.outcome(damaged);
    BOOST_TEST((outcome != Outcome::silent), "byte " << byte);
    found += outcome == Outcome::found ? 1 : 0;
  }
  BOOST_TEST_MESSAGE(found << " flips found in a file of " << sample.bytes.size() << " bytes");
  BOOST_TEST(found > 300);
}

BOOST_AUTO_TEST_CASE(a_truncated_file_is_found) {
  const Sample sample;
  std::mt19937 random(20261122);
  for (std::size_t size = 0; size < sample.bytes.size(); size += 1 + random() % 60) {
    BOOST_TEST((sample.outcome(sample.bytes.substr(0, size)) == Outcome::found), "size " << size);
  }
  const std::string but_one = sample.bytes.substr(0, sample.bytes.size() - 1);
  BOOST_TEST((sample.outcome(but_one) == Outcome::found));
}

BOOST_AUTO_TEST_CASE(lost_and_misplaced_blocks_are_found_or_harmless) {
  const Sample sample;
  std::mt19937 random(20261123);
  for (int trial = 0; trial < 300; ++trial) {
    const std::size_t length = std::size_t{64} << random() % 5;
    const auto place = [&] { return random() % (sample.bytes.size() - length); };
    std::string damaged = sample.bytes;
    const std::string block =
        trial % 2 == 0 ? std::string(length, '\0') : sample.bytes.substr(place(), length);
    damaged.replace(place(), length, block);
    BOOST_TEST((sample.outcome(damaged) != Outcome::silent), "trial " << trial);
  }
}
