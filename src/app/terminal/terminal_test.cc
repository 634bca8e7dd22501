#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

#include "app/terminal/progress.h"
#include "app/terminal/screen.h"
#include "app/terminal/table.h"
#include "app/terminal/width.h"
#include "base/text.h"
#include "env/testing/manual_clock.h"

namespace millrace::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Screen terminal(std::size_t columns) {
  Screen screen;
  screen.columns = columns;
  screen.symbols = Screen::Symbols::kUnicode;
  return screen;
}

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("naïve"), 5U);
  EXPECT_EQ(display_width("日本"), 4U);
  EXPECT_EQ(display_width("e\u0301"), 1U);
  EXPECT_EQ(display_width("🙂"), 2U);
  EXPECT_EQ(display_width("\xFF"), 1U);
}

TEST(CutToWidth, EndsInTheEllipsisAndNeverInsideACharacter) {
  EXPECT_EQ(cut_to_width("abcdef", 6, "…"), "abcdef");
  EXPECT_EQ(cut_to_width("abcdef", 4, "…"), "abc…");
  EXPECT_EQ(cut_to_width("日本語", 4, "…"), "日…");
  EXPECT_EQ(cut_to_width("abc", 0, "…"), "");
}

RC_GTEST_PROP(CutToWidthProperty, FitsAndStaysText, (const std::string& bytes)) {
  const std::string text = printable(bytes);
  const auto columns = *rc::gen::inRange<std::size_t>(0, 40);
  const std::string cut = cut_to_width(text, columns, "…");
  RC_ASSERT(display_width(cut) <= columns);
  RC_ASSERT(is_utf8(cut));
}

TEST(Table, AlignsColumnsAndLeavesNoBlanksAtLineEnds) {
  Table table({{"topic"}, {"records", Table::Align::kRight}, {"note"}});
  table.add_row({"telco.raw", "7,043", ""});
  table.add_row({"x", "11", "naïve"});
  EXPECT_EQ(table.to_string(Screen{}),
            "topic      records  note\n"
            "telco.raw    7,043\n"
            "x               11  naïve\n");
}

TEST(Table, WithoutTitlesHasNoHeader) {
  Table table({{""}, {""}});
  table.add_row({"a", "b"});
  EXPECT_EQ(table.to_string(Screen{}), "a  b\n");
}

TEST(Table, WideCharactersStayAligned) {
  Table table({{""}, {""}});
  table.add_row({"日本", "1"});
  table.add_row({"abcd", "2"});
  EXPECT_EQ(table.to_string(Screen{}), "日本  1\nabcd  2\n");
}

TEST(Table, ControlCharactersCannotSteerTheTerminal) {
  Table table({{"key"}});
  table.add_row({"\x1b[2J\nfake row\xFF"});
  EXPECT_EQ(table.to_string(Screen{}), "key\n\\x1b[2J\\x0afake row\\xff\n");
}

TEST(Table, CutsTheWidestColumnsOnATerminalOnly) {
  Table table({{"code"}, {"message"}});
  table.add_row({"out_of_range", std::string(100, 'm')});
  EXPECT_THAT(table.to_string(Screen{}), HasSubstr(std::string(100, 'm')));
  EXPECT_EQ(table.to_string(terminal(40)),
            "code          message\n"
            "out_of_range  " +
                std::string(25, 'm') + "…\n");
}

TEST(Table, NarrowTerminalLeavesEveryColumnSomething) {
  Table table({{"a"}, {"b"}, {"c"}});
  table.add_row({std::string(50, 'a'), std::string(50, 'b'), std::string(50, 'c')});
  EXPECT_EQ(table.to_string(terminal(5)), "a         b         c\naaaaaaa…  bbbbbbb…  ccccccc…\n");
}

TEST(Table, HeaderIsBoldWhereThereAreColours) {
  Table table({{"key"}});
  Screen screen = terminal(80);
  screen.style = Style(Style::Colours::kOn);
  EXPECT_THAT(table.to_string(screen), StartsWith("\x1b[1mkey\x1b[0m\n"));
}

TEST(Style, OffLeavesTextAlone) {
  EXPECT_EQ(Style().bad("x"), "x");
  EXPECT_EQ(Style(Style::Colours::kOn).bad("x"), "\x1b[31mx\x1b[0m");
}

class ProgressTest : public ::testing::Test {
 protected:
  Progress::Output output(std::size_t columns) {
    return {[this](std::string_view text) { written_.emplace_back(text); },
            [columns] { return terminal(columns); }};
  }
  std::string all() const {
    return std::accumulate(written_.begin(), written_.end(), std::string());
  }

  env::ManualClock clock_;
  std::vector<std::string> written_;
};

TEST_F(ProgressTest, ShortJobLeavesNoTrace) {
  {
    Progress progress(clock_, output(80), "scoring", 100);
    for (int i = 0; i <= 100; ++i) progress.update(static_cast<std::uint64_t>(i));
    clock_.advance(Milliseconds(200));
    progress.update(100);
  }
  EXPECT_EQ(all(), "");
}

TEST_F(ProgressTest, ShowsShareRateAndTimeLeft) {
  Progress progress(clock_, output(100), "scoring", 10'000);
  clock_.advance(Milliseconds(1000));
  progress.update(2'500);
  EXPECT_EQ(all(),
            "\rscoring   25 %  ███████░░░░░░░░░░░░░░░░░░░░░░░  2,500 of 10,000  2,500/s  0:03 "
            "left\x1b[K");
}

TEST_F(ProgressTest, IsRedrawnAtMostTenTimesASecond) {
  Progress progress(clock_, output(80), "scoring", std::nullopt);
  for (int i = 0; i < 2000; ++i) {
    clock_.advance(Milliseconds(1));
    progress.update(static_cast<std::uint64_t>(i));
  }
  EXPECT_GE(written_.size(), 15U);
  EXPECT_LE(written_.size(), 19U);  // none in the first quarter of a second
}

TEST_F(ProgressTest, WithoutTotalShowsCountRateAndTimeSpent) {
  Progress progress(clock_, output(80), "producing", std::nullopt);
  clock_.advance(std::chrono::seconds(75));
  progress.update(15'000);
  EXPECT_EQ(all(), "\rproducing  15,000  200/s  1:15\x1b[K");
}

TEST_F(ProgressTest, RateFollowsTheLastSeconds) {
  Progress progress(clock_, output(100), "scoring", std::nullopt);
  std::uint64_t done = 0;
  for (int i = 0; i < 100; ++i) {
    clock_.advance(Milliseconds(100));
    progress.update(done += 100);
  }
  for (int i = 0; i < 300; ++i) {
    clock_.advance(Milliseconds(100));
    progress.update(done += 1);
  }
  EXPECT_THAT(written_.back(), HasSubstr("  10.0/s  "));
}

TEST_F(ProgressTest, LineIsGoneWhenDone) {
  Progress progress(clock_, output(80), "scoring", 10);
  clock_.advance(Milliseconds(500));
  progress.update(5);
  progress.finish();
  EXPECT_EQ(written_.back(), "\r\x1b[K");
  const std::size_t writes = written_.size();
  clock_.advance(Milliseconds(500));
  progress.update(6);
  progress.finish();
  EXPECT_EQ(written_.size(), writes);
}

TEST_F(ProgressTest, FitsAnyTerminalAndNeverFillsTheLastColumn) {
  for (std::size_t columns = 20; columns < 140; ++columns) {
    written_.clear();
    Progress progress(clock_, output(columns), "scoring", 1'000'000);
    clock_.advance(Milliseconds(500));
    progress.update(123'456);
    ASSERT_EQ(written_.size(), 1U);
    std::string line = written_.front();
    line = line.substr(1, line.find('\x1b') - 1);
    EXPECT_LT(display_width(line), columns);
  }
}

TEST_F(ProgressTest, MoreThanTheTotalIsNotMoreThanAll) {
  Progress progress(clock_, output(80), "scoring", 10);
  clock_.advance(Milliseconds(500));
  progress.update(25);
  EXPECT_THAT(all(), HasSubstr("100 %"));
  EXPECT_THAT(all(), Not(HasSubstr("left")));
}

TEST_F(ProgressTest, StepsAsideForLogLines) {
  ::testing::internal::CaptureStderr();
  telemetry::Logger logger;
  {
    Progress progress(clock_, output(80), "scoring", 10);
    progress.step_aside_for(logger);
    clock_.advance(Milliseconds(500));
    progress.update(5);
    const std::string shown = written_.back().substr(1, written_.back().size() - 4);
    logger.warning("disk is nearly full");
    ASSERT_EQ(written_.size(), 3U);
    EXPECT_EQ(written_[1], "\r\x1b[K");
    EXPECT_EQ(written_[2], shown);
  }
  const std::size_t writes = written_.size();
  logger.warning("after the end");
  EXPECT_EQ(written_.size(), writes);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("disk is nearly full"));
}

}  // namespace
}  // namespace millrace::app
