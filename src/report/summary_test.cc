#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "env/file.h"
#include "json/json.h"
#include "report/summary_csv.h"
#include "report/summary_files.h"
#include "report/summary_html.h"
#include "report/summary_json.h"
#include "report/testing/sample_summary.h"

namespace millrace::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr Timestamp kWritten(1'760'153'304'000);

TEST(SummaryJson, HasTheReferencesFieldsWithContent) {
  const json::Value v = summary_to_json(sample_summary(), kWritten);
  EXPECT_EQ(v["total_predictions"], 7032);
  EXPECT_EQ(v["churn_predictions"], (json::Value{{"No", 5559}, {"Yes", 1473}}));
  EXPECT_DOUBLE_EQ(v["churn_rate"].get<double>(), 1473.0 / 7032);
  EXPECT_NEAR(v["average_churn_probability"].get<double>(), 0.2654, 1e-12);
  EXPECT_EQ(v["timestamp"], "2025-10-11T03:28:24.000Z");
  EXPECT_EQ(v["high_risk_customers"].size(), 10U);
  EXPECT_EQ(v["high_risk_customers"][0]["key"], "7216-EWTRS");
  EXPECT_EQ(v["high_risk_customers"][0]["fields"]["PaymentMethod"], "Electronic check");
  EXPECT_FALSE(v.contains("warning"));
  const json::Value& metrics = v["pipeline_metrics"];
  EXPECT_EQ(metrics["messages_sent"], 7043);
  EXPECT_EQ(metrics["messages_processed"], 7032);
  EXPECT_DOUBLE_EQ(metrics["processing_duration_sec"].get<double>(), 0.412);
  EXPECT_NEAR(metrics["throughput_msg_per_sec"].get<double>(), 7043 / 0.412, 1e-5);
  EXPECT_DOUBLE_EQ(metrics["success_rate"].get<double>(), 7032.0 / 7043);
}

TEST(SummaryJson, SegmentsCountEveryLevel) {
  const json::Value v = summary_to_json(sample_summary(), kWritten);
  const json::Value& year = v["segments"]["Contract"]["One year"];
  EXPECT_EQ(year["total"], 1472);
  EXPECT_EQ(year["positive"], 66);
  EXPECT_DOUBLE_EQ(year["rate"].get<double>(), 66.0 / 1472);
  EXPECT_DOUBLE_EQ(year["mean_probability"].get<double>(), 165.9 / 1472);
  EXPECT_EQ(v["segments"].size(), 2U);
}

TEST(SummaryJson, HistogramHoldsEveryPrediction) {
  const json::Value v = summary_to_json(sample_summary(), kWritten);
  std::uint64_t sum = 0;
  for (const auto& bin : v["probability_histogram"]) sum += bin["count"].get<std::uint64_t>();
  EXPECT_EQ(sum, 7032U);
  EXPECT_EQ(v["probability_histogram"][3]["to"], 0.2);
}

TEST(SummaryJson, EmptyRunWarnsAndHasNoNumbersOutOfNothing) {
  data::RunSummary empty;
  empty.positive_label = "Yes";
  const json::Value v = summary_to_json(empty, kWritten);
  EXPECT_THAT(v["warning"].get<std::string>(), HasSubstr("read no messages"));
  EXPECT_EQ(v["churn_rate"], 0);
  EXPECT_EQ(v["churn_predictions"], (json::Value{{"No", 0}, {"Yes", 0}}));
  EXPECT_TRUE(v["latency_ms"]["p99"].is_null());
  EXPECT_EQ(json::to_line(v).find("nan"), std::string::npos);
}

TEST(SummaryJson, OtherPipelinesKeepTheirOwnWords) {
  data::RunSummary s = sample_summary();
  s.positive_label = "subscribed";
  s.by_label = {{"subscribed", 32}, {"declined", 7000}};
  const json::Value v = summary_to_json(s, kWritten);
  EXPECT_FALSE(v.contains("churn_rate"));
  EXPECT_DOUBLE_EQ(v["positive_rate"].get<double>(), 32.0 / 7032);
  EXPECT_EQ(v["predictions_by_label"]["declined"], 7000);
}

TEST(ScoreResultJson, IsOneLineWithTheFixedFields) {
  const json::Value v = score_result_json(sample_summary());
  for (const char* key :
       {"consumed", "predicted", "dead_lettered", "duration_s", "rate_per_s", "mean_probability",
        "model_version", "stop_reason", "dead_letters_by_code"}) {
    EXPECT_TRUE(v.contains(key)) << key;
  }
  EXPECT_EQ(v["dead_letters_by_code"]["out_of_range"], 6);
  EXPECT_EQ(json::to_line(v).find('\n'), std::string::npos);
}

TEST(SummaryHtml, ShowsTheFiguresAsPeopleReadThem) {
  const std::string html =
      summary_to_html(sample_summary(), kWritten,
                      {"customer", "customers", "Churn", "customerID", "millrace 0.1.0"});
  EXPECT_THAT(html, HasSubstr("1,473 of 7,032 customers (20.9&nbsp;%) are predicted Churn = Yes."));
  EXPECT_THAT(html, HasSubstr("By InternetService"));
  EXPECT_THAT(html, HasSubstr("1,404 of 3,868"));
  EXPECT_THAT(html, HasSubstr("everything in the topic was read"));
  EXPECT_THAT(html, HasSubstr("2025-10-11 03:28:23 UTC"));
  EXPECT_THAT(html, HasSubstr("Dead letters by reason"));
}

TEST(SummaryHtml, LoadsNothingAndRunsNothing) {
  const std::string html = summary_to_html(sample_summary(), kWritten);
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  for (const char* forbidden :
       {"<script", "http://", "https://", "src=", "url(", "@import", "onload"}) {
    EXPECT_THAT(html, Not(HasSubstr(forbidden)));
  }
}

TEST(SummaryHtml, ForeignTextStaysText) {
  const std::string html = summary_to_html(hostile_summary(), kWritten,
                                           {kHostile, kHostile, kHostile, kHostile, kHostile});
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("alert(\"")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;"));
  EXPECT_EQ(html.find('\x01'), std::string::npos);
  EXPECT_EQ(html.find('\xFF'), std::string::npos);
}

TEST(SummaryHtml, EmptyRunSaysSo) {
  const std::string html = summary_to_html({}, kWritten);
  EXPECT_THAT(html, HasSubstr("No predictions: the run read no messages."));
  EXPECT_THAT(html, HasSubstr("Nothing was scored."));
  EXPECT_THAT(html, Not(HasSubstr("nan")));
  EXPECT_THAT(html, Not(HasSubstr("inf")));
}

TEST(SummaryHtml, ManyLevelsAreGatheredAtTheEnd) {
  data::RunSummary s = sample_summary();
  for (int i = 0; i < 50; ++i) s.segments["Contract"]["level " + std::to_string(i)] = {1, 1, 0.9};
  const std::string html = summary_to_html(s, kWritten);
  EXPECT_THAT(html, HasSubstr("44 others"));
  EXPECT_THAT(html, Not(HasSubstr("level 49")));
}

TEST(SummaryCsv, FormulasAreDefused) {
  const std::string csv = top_risk_to_csv(hostile_summary(), "=key");
  EXPECT_THAT(csv, HasSubstr("\"'=HYPERLINK(\"\"http://x\"\")\",0.800000,'@SUM(A1)\r\n"));
  EXPECT_THAT(csv, ::testing::StartsWith("'=key,probability,"));
}

TEST(SummaryFiles, SecondRunOfOneSecondGetsItsOwnName) {
  auto home = env::TemporaryFolder::make("report_test");
  ASSERT_TRUE(home);
  const env::Path folder = home->path() / "reports";
  const auto first = write_summary(folder, sample_summary(), kWritten);
  const auto second = write_summary(folder, {}, kWritten);
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  EXPECT_EQ(first->json, folder / "batch_summary_20251011_032824.json");
  EXPECT_EQ(first->html, folder / "batch_summary_20251011_032824.html");
  EXPECT_EQ(second->json, folder / "batch_summary_20251011_032824-2.json");
  const auto text = env::read_file(first->json, 1 << 20);
  EXPECT_EQ(json::parse(*text, "file").value()["total_predictions"], 7032);
  EXPECT_TRUE(std::filesystem::exists(second->html));
}

TEST(SummaryFiles, FolderThatCannotBeMadeIsAnError) {
  EXPECT_FALSE(write_summary("/proc/nowhere/reports", {}, kWritten));
}

}  // namespace
}  // namespace millrace::report
