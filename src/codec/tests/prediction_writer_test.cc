#include "codec/prediction_writer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <charconv>
#include <cmath>
#include <limits>

namespace millrace::codec {
namespace {

constexpr Timestamp kProcessed{1760153303300};

Prediction prediction_of(double probability, double latency_ms = 9.92) {
  return {.key = "7760-OYPDY",
          .probability = probability,
          .label = "Yes",
          .event_time = "2025-10-11T03:28:23.234190Z",
          .processed = kProcessed,
          .latency_ms = latency_ms};
}

// The probability's digits in a message of it alone.
std::string probability_text(double probability, int decimals = 6) {
  PredictionWriter writer({"", "p", "", "", "", "", ""}, "", decimals);
  std::string out;
  writer.write(prediction_of(probability), out);
  return out.substr(5, out.size() - 6);
}

std::string latency_text(double latency_ms) {
  PredictionWriter writer({"", "", "", "", "", "l", ""}, "");
  std::string out;
  writer.write(prediction_of(0.5, latency_ms), out);
  return out.substr(5, out.size() - 6);
}

TEST(PredictionWriter, MessageHasTheReferenceFieldsInOrder) {
  PredictionWriter writer({}, "3-0a1b2c3d");
  std::string out = "what was there";
  writer.write(prediction_of(0.71197), out);
  EXPECT_EQ(out,
            R"({"customerID":"7760-OYPDY","churn_probability":0.71197,"prediction":"Yes",)"
            R"("event_ts":"2025-10-11T03:28:23.234190Z","processed_ts":"2025-10-11T03:28:23.300Z",)"
            R"("inference_latency_ms":9.92,"model_version":"3-0a1b2c3d"})");
  writer.set_model_version("4-ffffffff");
  writer.write(prediction_of(0.5), out);
  EXPECT_TRUE(out.ends_with(R"("model_version":"4-ffffffff"})"));
}

TEST(PredictionWriter, TimeAndLatencyAreThoseOfEachRecord) {
  PredictionWriter writer({"", "p", "", "", "t", "l", ""}, "");
  const auto text = [&writer](Timestamp processed, double latency_ms) {
    Prediction prediction = prediction_of(0.5, latency_ms);
    prediction.processed = processed;
    std::string out;
    writer.write(prediction, out);
    return out;
  };
  const std::string first = R"({"p":0.5,"t":"2025-10-11T03:28:23.300Z","l":1.5})";
  EXPECT_EQ(text(kProcessed, 1.5), first);
  EXPECT_EQ(text(kProcessed, 1.5), first);
  EXPECT_EQ(text(kProcessed, 2), R"({"p":0.5,"t":"2025-10-11T03:28:23.300Z","l":2.0})");
  EXPECT_EQ(text(Timestamp(kProcessed.value() + 1), 2),
            R"({"p":0.5,"t":"2025-10-11T03:28:23.301Z","l":2.0})");
  EXPECT_EQ(text(kProcessed, 1.5), first);
}

TEST(PredictionWriter, UnnamedFieldsAreLeftOut) {
  PredictionFields fields;
  fields.key.clear();
  fields.latency.clear();
  fields.model_version.clear();
  PredictionWriter writer(fields, "1");
  std::string out;
  writer.write(prediction_of(1), out);
  EXPECT_EQ(
      out,
      R"({"churn_probability":1.0,"prediction":"Yes",)"
      R"("event_ts":"2025-10-11T03:28:23.234190Z","processed_ts":"2025-10-11T03:28:23.300Z"})");
}

TEST(PredictionWriter, TextsAreEscaped) {
  PredictionWriter writer({"k\"", "", "l", "", "", "", "v"}, "a\"b");
  std::string out;
  Prediction prediction = prediction_of(0);
  prediction.key = "x\ny\"";
  prediction.label = "\\";
  writer.write(prediction, out);
  EXPECT_EQ(out, R"({"k\"":"x\ny\"","l":"\\","v":"a\"b"})");
}

TEST(PredictionWriter, KeysThatAreNoTextsKeepTheirForm) {
  PredictionWriter writer({"id", "", "", "", "", "", ""}, "");
  Prediction prediction = prediction_of(0.5);
  prediction.key_form = Prediction::Key::kJson;
  std::string out;
  for (const auto& [key, message] :
       {std::pair("17", R"({"id":17})"), {"true", R"({"id":true})"}, {"", R"({"id":null})"}}) {
    prediction.key = key;
    writer.write(prediction, out);
    EXPECT_EQ(out, message);
  }
}

TEST(PredictionWriter, ProbabilitiesAreShortAndWithoutExponent) {
  EXPECT_EQ(probability_text(0), "0.0");
  EXPECT_EQ(probability_text(1), "1.0");
  EXPECT_EQ(probability_text(0.5), "0.5");
  EXPECT_EQ(probability_text(0.000001), "0.000001");
  EXPECT_EQ(probability_text(0.044259), "0.044259");
  EXPECT_EQ(probability_text(0.100000), "0.1");
  EXPECT_EQ(probability_text(0.999999), "0.999999");
  EXPECT_EQ(probability_text(12.25), "12.25");
  EXPECT_EQ(probability_text(1, 0), "1.0");
  EXPECT_EQ(probability_text(0.1234567), "0.1234567");  // not rounded by the caller: in full
  EXPECT_EQ(probability_text(-0.5), "-0.5");
  EXPECT_EQ(probability_text(std::nan("")), "null");
}

TEST(PredictionWriter, LatencyHasTwoDecimalsAndIsNeverNegative) {
  EXPECT_EQ(latency_text(9.916), "9.92");
  EXPECT_EQ(latency_text(12), "12.0");
  EXPECT_EQ(latency_text(0.001), "0.0");
  EXPECT_EQ(latency_text(-3), "0.0");
  EXPECT_EQ(latency_text(std::nan("")), "0.0");
  EXPECT_EQ(latency_text(std::numeric_limits<double>::infinity()), "0.0");
  EXPECT_EQ(latency_text(86'400'000.125), "86400000.12");
}

TEST(RoundTo, TiesAreDecidedByTheExactValue) {
  EXPECT_EQ(round_to(0.5, 0), 0);
  EXPECT_EQ(round_to(1.5, 0), 2);
  EXPECT_EQ(round_to(2.5, 0), 2);
  EXPECT_EQ(round_to(0.125, 2), 0.12);
  EXPECT_EQ(round_to(0.375, 2), 0.38);
  EXPECT_EQ(round_to(2.675, 2), 2.67);      // 2.67499999999999982236431605997495353221893310546875
  EXPECT_EQ(round_to(0.0000005, 6), 0);     // 4.99999999999999977e-07
  EXPECT_EQ(round_to(0.0000015, 6), 2e-6);  // 1.50000000000000003e-06
  EXPECT_EQ(round_to(-0.71197049, 6), -0.71197);
  EXPECT_EQ(round_to(1e300, 6), 1e300);
  EXPECT_EQ(round_to(123456789.123456789, 6), 123456789.123457);
  EXPECT_TRUE(std::isnan(round_to(std::nan(""), 6)));
}

RC_GTEST_PROP(RoundTo, EqualsTheRoundingOfTheDecimalExpansion, (std::uint32_t numerator)) {
  const int decimals = *rc::gen::inRange(0, 10);
  const double divisor = *rc::gen::element(4294967295.0, 1e7, 2e6, 4096.0, 3.0);
  const double value = numerator / divisor;
  char text[400];
  const auto end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, decimals).ptr;
  double expected = 0;
  std::from_chars(text, end, expected);
  RC_ASSERT(round_to(value, decimals) == expected);
}

RC_GTEST_PROP(PredictionWriter, PublishedProbabilityReadsBackExactly, (std::uint32_t numerator)) {
  const double value = round_to(numerator / 4294967295.0, 6);
  const std::string text = probability_text(value);
  double parsed = -1;
  std::from_chars(text.data(), text.data() + text.size(), parsed);
  RC_ASSERT(parsed == value);
  RC_ASSERT(text.size() <= 8u);
}

}  // namespace
}  // namespace millrace::codec
