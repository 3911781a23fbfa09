#include "isofield/io/hdf5.hpp"

#include <sys/stat.h>

#include "io/crc64.hpp"
#include "io/io_test.hpp"
#include "io/manifest.hpp"

using namespace isofield;
using namespace isofield::io;
using namespace isofield::io::test;

namespace {

// A check of BOOST_CHECK_EXCEPTION: the message contains a text.
auto says(std::string text) {
  return [text = std::move(text)](const std::exception& error) {
    BOOST_TEST_MESSAGE(error.what());
    const bool found = std::string(error.what()).find(text) != std::string::npos;
    if (!found) BOOST_TEST_MESSAGE("expected: " << text);
    return found;
  };
}

}  // namespace

BOOST_AUTO_TEST_CASE(checksum_has_the_published_check_value) {
  BOOST_TEST(crc64("123456789", 9) == "995dc9bbdf1939fa");
  Crc64 parts;
  parts.update("12345", 5);
  parts.update("6789", 4);
  BOOST_TEST(parts.text() == "995dc9bbdf1939fa");
}

BOOST_AUTO_TEST_CASE(what_is_written_reads_back) {
  const Folder folder;
  const Published published = write_sample(folder / "a.h5", 7, Existing::refuse);
  BOOST_TEST(published.warning == "");
  BOOST_TEST(published.bytes == std::filesystem::file_size(folder / "a.h5"));
  const FileReader file(folder / "a.h5");
  file.verify();
  BOOST_TEST(file.extents("/u") == (Extents{5, 40}), boost::test_tools::per_element());
  BOOST_TEST(file.extents("/lambda").empty());
  BOOST_TEST((file.type("/m32") == DType::float32 && file.type("/u") == DType::float64));
  BOOST_TEST((file.type("/grid/mask") == DType::uint8 && file.type("/steps") == DType::int64));
  const std::vector<double> x = field(7, 40), u = file.read<double>("/u");
  for (std::size_t i = 0; i < u.size(); ++i) BOOST_TEST(u[i] == x[i % 40]);
  std::vector<double> row(40);
  file.read_rows<double>("/links/hard", 3, 1, row);
  BOOST_TEST(row == x, boost::test_tools::per_element());
  BOOST_TEST(file.read<float>("/links/soft")[3] == static_cast<float>(field(7, 4)[3]));
  BOOST_TEST(file.read<double>("/grid/mask")[0] == 7.0);  // converted
  BOOST_TEST(file.read<double>("/lambda")[0] == 7.5);
  BOOST_TEST(file.text_attribute("/", "title") == "version 7");
  BOOST_TEST(file.text_attribute("/u", "units") == "");
  BOOST_TEST(file.real_attribute("/", "residual") == 1e-9 * 7);
  BOOST_TEST(file.integer_attribute("/grid", "iterations") == 7);
  const std::vector<std::string> grid{"mask", "t", "x"};
  BOOST_TEST(file.list("/grid") == grid, boost::test_tools::per_element());
  BOOST_TEST(file.exists("/links/soft"));
  BOOST_TEST(!file.exists("/links/none"));
  BOOST_TEST(!file.exists("/none/x"));
}

BOOST_AUTO_TEST_CASE(shapes_of_every_size_read_back) {
  const Folder folder;
  const std::vector<Extents> shapes{
      {},      {1},        {0},           {0, 3},           {1, 1, 1},
      {70000}, {3, 70000}, {2, 600, 300}, {1, 5, 1, 70000}, {1000, 3}};
  FileWriter writer(folder / "a.h5");
  for (std::size_t k = 0; k < shapes.size(); ++k) {
    const std::vector<double> values = field(static_cast<int>(k), count(shapes[k]));
    writer.write<double>("/whole/" + std::to_string(k), values, shapes[k], {.compression = 1});
    if (shapes[k].empty() || count(shapes[k]) == 0) continue;
    const std::string growing = "/growing/" + std::to_string(k);
    const std::size_t row = values.size() / shapes[k][0];
    writer.create_dataset(growing, DType::float64, Extents(shapes[k].begin() + 1, shapes[k].end()),
                          {.compression = 0});
    for (std::size_t from = 0; from < values.size(); from += row) {
      writer.append(growing, std::span(values).subspan(from, row));
    }
  }
  writer.commit();
  const FileReader reader(folder / "a.h5");
  reader.verify();
  for (std::size_t k = 0; k < shapes.size(); ++k) {
    const std::vector<double> expected = field(static_cast<int>(k), count(shapes[k]));
    BOOST_TEST((reader.extents("/whole/" + std::to_string(k)) == shapes[k]));
    BOOST_TEST((reader.read<double>("/whole/" + std::to_string(k)) == expected));
    const std::string growing = "/growing/" + std::to_string(k);
    if (reader.exists(growing)) BOOST_TEST((reader.read<double>(growing) == expected));
  }
}

BOOST_AUTO_TEST_CASE(long_texts_and_other_alphabets_survive) {
  const Folder folder;
  std::string longer;
  while (longer.size() < 300000) longer += "schlüssel = \"Wert\" # комментарий\n";
  FileWriter writer(folder / "größe 1.h5");
  writer.set_attribute("/", "config", longer);
  writer.write("/populations/fußgänger innen/u", std::vector<double>{1});
  writer.commit();
  const FileReader reader(folder / "größe 1.h5");
  reader.verify();
  BOOST_TEST((reader.text_attribute("/", "config") == longer));
  BOOST_TEST(reader.list("/populations")[0] == "fußgänger innen");
}

BOOST_AUTO_TEST_CASE(existing_file_is_kept_unless_replacing_is_allowed) {
  const Folder folder;
  write_bytes(folder / "a.h5", "something of the user's");
  BOOST_CHECK_EXCEPTION(write_sample(folder / "a.h5", 1, Existing::refuse), FileExistsError,
                        says("a.h5': the file exists already"));
  BOOST_TEST(bytes_of(folder / "a.h5") == "something of the user's");
  write_sample(folder / "a.h5", 2, Existing::replace);
  BOOST_TEST(version_of(folder / "a.h5") == 2);
  BOOST_TEST(folder.names().size() == 1U);
}

BOOST_AUTO_TEST_CASE(file_that_appears_in_the_meantime_is_kept) {
  const Folder folder;
  FileWriter writer(folder / "a.h5", Existing::refuse);
  writer.write("/x", std::vector<double>{1});
  write_bytes(folder / "a.h5", "of another process");
  BOOST_CHECK_THROW(writer.commit(), FileExistsError);
  BOOST_TEST(bytes_of(folder / "a.h5") == "of another process");
}

BOOST_AUTO_TEST_CASE(nothing_is_left_without_commit) {
  const Folder folder;
  {
    FileWriter writer(folder / "a.h5");
    writer.write("/x", field(1, 100000));
    BOOST_TEST(folder.names().size() == 1U);
    BOOST_TEST(folder.names()[0].starts_with(".a.h5."));
  }
  BOOST_TEST(folder.names().empty());
  try {
    FileWriter writer(folder / "a.h5");
    throw std::runtime_error("an error of somebody else's");
  } catch (const std::runtime_error&) {
  }
  BOOST_TEST(folder.names().empty());
}

BOOST_AUTO_TEST_CASE(permissions_follow_the_umask_and_the_file_replaced) {
  const Folder folder;
  const auto mode = [&] { return std::filesystem::status(folder / "a.h5").permissions(); };
  const mode_t before = ::umask(027);
  write_sample(folder / "a.h5", 1, Existing::refuse);
  ::umask(before);
  BOOST_TEST((mode() == std::filesystem::perms{0640}));
  std::filesystem::permissions(folder / "a.h5", std::filesystem::perms{0604});
  write_sample(folder / "a.h5", 2, Existing::replace);
  BOOST_TEST((mode() == std::filesystem::perms{0604}));
}

BOOST_AUTO_TEST_CASE(symbolic_link_stays_and_its_target_is_replaced) {
  const Folder folder;
  std::filesystem::create_directory(folder / "data");
  write_sample(folder / "data/a.h5", 1, Existing::refuse);
  std::filesystem::create_symlink("data/a.h5", folder / "link.h5");
  write_sample(folder / "link.h5", 2, Existing::replace);
  BOOST_TEST(std::filesystem::is_symlink(folder / "link.h5"));
  BOOST_TEST(version_of(folder / "data/a.h5") == 2);
}

BOOST_AUTO_TEST_CASE(destinations_that_cannot_be_are_refused_at_once) {
  const Folder folder;
  std::filesystem::create_directory(folder / "d");
  const auto open = [](const std::filesystem::path& path) { FileWriter file(path); };
  BOOST_CHECK_EXCEPTION(open(folder / "none/a.h5"), IoError, says("there is no folder"));
  BOOST_CHECK_EXCEPTION(open(folder / "d"), IoError, says("d': it is a folder"));
  BOOST_CHECK_EXCEPTION(open(folder / "d/"), IoError, says("the name is empty"));
  BOOST_CHECK_EXCEPTION(open(""), IoError, says("the name is empty"));
  BOOST_CHECK_EXCEPTION(open("/dev/null"), IoError, says("not a regular file"));
  const std::string cut = (folder / "a").string() + std::string("\0.h5", 4);
  write_bytes(folder / ".a", "what the system would take that name for");
  BOOST_CHECK_EXCEPTION(open(cut), IoError, says("/a': a NUL follows in the name"));
  BOOST_CHECK_EXCEPTION(open("/proc/a.h5"), IoError,
                        says("cannot write '/proc/a.h5': no file can"));
}

BOOST_AUTO_TEST_CASE(name_as_long_as_the_system_allows_is_written) {
  const Folder folder;
  const std::string name = std::string(252, 'n') + ".h5";
  write_sample(folder / name, 1, Existing::refuse);
  BOOST_TEST(version_of(folder / name) == 1);
}

BOOST_AUTO_TEST_CASE(wrong_use_is_told_and_names_the_file) {
  const Folder folder;
  FileWriter writer(folder / "a.h5");
  const std::vector<double> three{1, 2, 3};
  BOOST_CHECK_EXCEPTION(writer.write<double>("/x", three, {2, 2}), IoError,
                        says("a.h5': /x: 3 values do not fill the shape (2,2)"));
  BOOST_CHECK_EXCEPTION(writer.write("x", three), IoError, says("'x' is not an absolute"));
  BOOST_CHECK_EXCEPTION(writer.write("/a//x", three), IoError, says("a name is empty"));
  BOOST_CHECK_EXCEPTION(writer.write("/a/../x", three), IoError, says("'..'"));
  BOOST_CHECK_EXCEPTION(writer.write("/a\nb", three), IoError, says("unprintable"));
  BOOST_CHECK_EXCEPTION(writer.append<double>("/none", three), IoError, says("create_dataset"));
  writer.create_dataset("/u", DType::float64, {2});
  BOOST_CHECK_EXCEPTION(writer.append<double>("/u", three), IoError, says("whole rows of 2"));
  BOOST_CHECK_EXCEPTION(writer.append<std::uint8_t>("/u", std::vector<std::uint8_t>{1, 2}), IoError,
                        says("uint8 values cannot be appended to float64"));
  writer.write("/x", three);
  BOOST_CHECK_EXCEPTION(writer.write("/x", three), IoError, says("creating /x"));
  BOOST_CHECK_EXCEPTION(writer.set_attribute("/", "a", std::string_view("a\0b", 3)), IoError,
                        says("a NUL"));
  BOOST_CHECK_EXCEPTION(writer.set_attribute("/none", "a", 1.0), IoError, says("a of /none"));
  BOOST_CHECK_EXCEPTION(writer.hard_link("/y", "/none"), IoError, says("linking /y"));
  writer.commit();
  BOOST_CHECK_EXCEPTION(writer.commit(), IoError, says("committed already"));
}

BOOST_AUTO_TEST_CASE(files_that_are_none_of_ours_are_told_apart) {
  const Folder folder;
  write_bytes(folder / "text.h5", "not HDF5 at all");
  write_bytes(folder / "empty.h5", "");
  const auto open = [](const std::filesystem::path& path) { FileReader file(path); };
  BOOST_CHECK_EXCEPTION(open(folder / "none.h5"), IoError, says("none.h5': No such file"));
  BOOST_CHECK_EXCEPTION(open(folder / "text.h5"), IoError, says("not a whole HDF5 file"));
  BOOST_CHECK_EXCEPTION(open(folder / "empty.h5"), IoError, says("not a whole HDF5 file"));
  BOOST_CHECK_EXCEPTION(open(folder.path()), IoError, says("Is a directory"));
  write_sample(folder / "a.h5", 1, Existing::refuse);
  const FileReader file(folder / "a.h5");
  BOOST_CHECK_EXCEPTION(file.read<double>("/none"), IoError, says("a.h5': /none: "));
  BOOST_CHECK_EXCEPTION(file.text_attribute("/", "residual"), IoError, says("is not a text"));
  BOOST_CHECK_EXCEPTION(file.real_attribute("/", "none"), IoError, says("attribute none of /"));
  std::vector<double> rows(80);
  BOOST_CHECK_EXCEPTION(file.read_rows<double>("/u", 4, 2, rows), IoError, says("no rows 4 to 6"));
  BOOST_CHECK_EXCEPTION(file.read_rows<double>("/u", 4, 1, rows), IoError, says("room for 80"));
}

BOOST_AUTO_TEST_CASE(a_verified_file_bears_a_seal) {
  const Folder folder;
  write_sample(folder / "a.h5", 4, Existing::refuse);
  BOOST_TEST(FileReader::verified(folder / "a.h5").integer_attribute("/grid", "iterations") == 4);
  std::string bytes = bytes_of(folder / "a.h5");
  bytes.replace(0, 512, 512, '\0');  // HDF5 reads it all the same
  write_bytes(folder / "b.h5", bytes);
  BOOST_TEST(version_of(folder / "b.h5") == 4);
  const auto verified = [](const std::filesystem::path& path) { FileReader::verified(path); };
  BOOST_CHECK_EXCEPTION(verified(folder / "b.h5"), IoError, says("b.h5': it bears no seal"));
  BOOST_CHECK_EXCEPTION(verified(folder / "none.h5"), IoError, says("No such file"));
  BOOST_CHECK_EXCEPTION(verified(folder.path()), IoError, says("Is a directory"));
}

BOOST_AUTO_TEST_CASE(manifest_survives_only_undamaged) {
  Manifest manifest;
  manifest.add({"dataset", "/grid/x y", "float64", "3", "0123456789abcdef"});
  manifest.add({"attribute", "/", "title", "text", "0123456789abcdef"});
  const std::string text = manifest.text();
  BOOST_TEST((Manifest::parse(text).records() == manifest.records()));
  for (std::size_t k = 0; k < text.size(); ++k) {
    std::string damaged = text;
    damaged[k] = static_cast<char>(damaged[k] ^ 1);
    BOOST_CHECK_THROW(Manifest::parse(damaged), IoError);
    BOOST_CHECK_THROW(Manifest::parse(text.substr(0, k)), IoError);
  }
}

BOOST_AUTO_TEST_CASE(one_run_is_bit_for_bit_another) {
  const Folder folder;
  write_sample(folder / "a.h5", 3, Existing::refuse);
  write_sample(folder / "b.h5", 3, Existing::refuse);
  BOOST_TEST((bytes_of(folder / "a.h5") == bytes_of(folder / "b.h5")));
}
