#include "base/csv_cell.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

std::string cell(std::string_view text) {
  std::string out = "before,";
  append_csv_cell(out, text);
  return out.substr(7);
}

TEST(CsvCell, QuotesWhereNeeded) {
  EXPECT_EQ(cell("plain"), "plain");
  EXPECT_EQ(cell(""), "");
  EXPECT_EQ(cell("a,\"b\""), "\"a,\"\"b\"\"\"");
  EXPECT_EQ(cell("two\nlines"), "\"two\nlines\"");
}

TEST(CsvCell, DefusesFormulas) {
  EXPECT_EQ(cell("=1+1"), "'=1+1");
  EXPECT_EQ(cell("+cmd|' /C calc'!A0"), "'+cmd|' /C calc'!A0");
  EXPECT_EQ(cell("@sum"), "'@sum");
  EXPECT_EQ(cell("-2+3"), "'-2+3");
  EXPECT_EQ(cell("\tx"), "'\tx");
  EXPECT_EQ(cell("=a,b"), "\"'=a,b\"");
  EXPECT_EQ(cell("-"), "'-");
}

TEST(CsvCell, VerbatimIsOnlyQuoted) {
  std::string out;
  append_csv_verbatim(out, "=a");
  append_csv_verbatim(out, "b,\"c\"");
  EXPECT_EQ(out, "=a\"b,\"\"c\"\"\"");
}

TEST(CsvCell, LeavesNumbersAlone) {
  EXPECT_EQ(cell("-3.5"), "-3.5");
  EXPECT_EQ(cell("+4"), "+4");
  EXPECT_EQ(cell("-1e-9"), "-1e-9");
}

}  // namespace
}  // namespace millrace
