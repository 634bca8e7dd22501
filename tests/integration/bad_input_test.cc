// Whatever arrives, the pipeline goes on: the bad record is set aside with its bytes and a reason.
#include <gtest/gtest.h>

#include <map>

#include "base/text.h"
#include "program.h"

namespace millrace::integration {
namespace {

std::map<std::string, std::string> headers_of(const json::Value& message) {
  std::map<std::string, std::string> headers;
  for (const json::Value& header : message["headers"]) {
    headers[header[0].get<std::string>()] = header[1].get<std::string>();
  }
  return headers;
}

std::string value_bytes(const json::Value& message) {
  if (message.contains("value_base64"))
    return *from_base64(message["value_base64"].get<std::string>());
  return message["value"].get<std::string>();
}

std::string good_customer(const Workplace& place) {
  const std::string line = place.simulate(1, {"--seed", "11"});
  return line.substr(0, line.find('\n'));
}

// The customer with one field replaced by raw JSON text.
std::string with(const std::string& customer, const std::string& field, const std::string& raw) {
  json::Value object = *json::parse(customer, "customer");
  object[field] = "@@";
  std::string text = json::to_line(object);
  return text.replace(text.find("\"@@\""), 4, raw);
}

struct BadCase {
  std::string bytes;
  std::string code;
  std::string type = "validation_error";
};

// Rows B1 to B5 of the reliability list, through the whole program (BUG-T2: one of these stopped
// the reference).
TEST(BadInput, EveryBadMessageBecomesADeadLetterWithItsBytesAndReason) {
  const Workplace place;
  place.train_telco();
  const std::string good = good_customer(place);
  const std::vector<BadCase> cases = {
      {"{\"customerID\": \"7590-VHVEG\"", "parse_error"},
      {"", "parse_error"},
      {"null", "not_an_object"},
      {"[1,2]", "not_an_object"},
      {good + "x", "parse_error"},
      {"\xEF\xBB\xBF" + good, "parse_error"},
      {"/* a comment */" + good, "parse_error"},
      {with(good, "tenure", "NaN"), "parse_error"},
      {with(good, "MonthlyCharges", "1e999"), "parse_error"},
      {with(good, "tenure", "012"), "parse_error"},
      {with(good, "gender", "\"\xff\xfe\""), "invalid_utf8"},
      {with(good, "gender", "\"\\ud800\""), "parse_error"},
      {"{\"customerID\":\"1\",\"customerID\":\"2\"}", "duplicate_key"},
      {with(good, "tenure", "200"), "out_of_range"},
      {with(good, "tenure", "\"12\""), "wrong_type"},
      {with(good, "Contract", "\"Three year\""), "unknown_value"},
      {with(good, "Partner", "true"), "wrong_type"},
      {with(good, "customerID", "\"nobody\""), "pattern_mismatch"},
      {with(good, "surprise", "1"), "unknown_field"},
      {with(good, "__proto__", "{}"), "unknown_field"},
      {"{}", "missing_field"},
      {std::string(100'000, '['), "too_deep"},
  };
  std::string input;
  for (const BadCase& bad : cases) input += bad.bytes + "\n" + good + "\n";
  place.write("in.raw", input);
  ASSERT_EQ(place.run({"produce", "telco-churn", "--data", "in.raw", "--raw"}).exit_code, 0);
  const Finished scored = place.run({"score", "telco-churn", "--mode", "batch", "--json"});
  ASSERT_EQ(scored.exit_code, 0) << scored.err;
  EXPECT_EQ(scored.last_json()["consumed"], 2 * cases.size());
  EXPECT_EQ(scored.last_json()["predicted"], cases.size());
  EXPECT_EQ(scored.last_json()["dead_lettered"], cases.size());

  std::map<std::string, std::map<std::string, std::string>> by_bytes;
  for (const json::Value& message : place.dump("telco.deadletter"))
    by_bytes[value_bytes(message)] = headers_of(message);
  for (const BadCase& bad : cases) {
    ASSERT_TRUE(by_bytes.contains(bad.bytes)) << bad.bytes.substr(0, 80);
    auto& headers = by_bytes[bad.bytes];
    const std::string prefix = "__millrace.errors.";
    EXPECT_EQ(headers[prefix + "code"], bad.code)
        << bad.bytes.substr(0, 80) << headers[prefix + "message"];
    EXPECT_EQ(headers[prefix + "type"], bad.type);
    EXPECT_EQ(headers[prefix + "topic"], "telco.raw.customers");
    EXPECT_EQ(headers[prefix + "group"], "telco-churn-consumer");
    EXPECT_EQ(headers[prefix + "attempt"], "1");
    EXPECT_FALSE(headers[prefix + "message"].empty());
    for (const char* name : {"details", "partition", "offset", "timestamp", "stage"}) {
      EXPECT_TRUE(headers.contains(prefix + name)) << name;
    }
  }
}

TEST(BadInput, AllErrorsOfARecordAreReported) {
  const Workplace place;
  place.train_telco();
  std::string bad = with(good_customer(place), "tenure", "200");
  bad = with(bad, "Contract", "\"Never\"");
  bad = with(bad, "MonthlyCharges", "-1");
  place.write("in.raw", bad + "\n");
  ASSERT_EQ(place.run({"produce", "telco-churn", "--data", "in.raw", "--raw"}).exit_code, 0);
  ASSERT_EQ(place.run({"score", "telco-churn", "--mode", "batch"}).exit_code, 0);
  const auto letters = place.run({"dlq", "list", "telco-churn", "--json"}).json_lines();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0]["details"].size(), 3U);
}

// A record that fails is put back once, its attempts are counted, and they end (row B16).
TEST(BadInput, ReplayIsOncePerDeadLetterAndEndsAfterItsAttempts) {
  const Workplace place;
  place.train_telco();
  const std::string bad = with(good_customer(place), "tenure", "200");
  place.write("in.raw", bad + "\n");
  ASSERT_EQ(place.run({"produce", "telco-churn", "--data", "in.raw", "--raw"}).exit_code, 0);
  const std::vector<std::string> score = {"score", "telco-churn", "--mode", "batch", "--json"};
  const std::vector<std::string> replay = {"dlq",    "replay",       "telco-churn",
                                           "--code", "out_of_range", "--json"};
  ASSERT_EQ(place.run(score).last_json()["dead_lettered"], 1);
  EXPECT_EQ(place.run(replay).last_json()["replayed"], 1);
  EXPECT_EQ(place.run(replay).last_json()["replayed"], 0);  // once
  EXPECT_EQ(place.run(score).last_json()["dead_lettered"], 1);
  EXPECT_EQ(place.run(replay).last_json()["replayed"], 1);  // the new dead letter, attempt 2
  EXPECT_EQ(place.run(score).last_json()["dead_lettered"], 1);
  const json::Value last = place.run(replay).last_json();  // attempt 3 of 3 stays
  EXPECT_EQ(last["replayed"], 0);
  EXPECT_EQ(last["attempts_used_up"], 1);
  const auto raw = place.dump("telco.raw.customers");
  ASSERT_EQ(raw.size(), 3U);
  std::size_t replayed = 0;
  for (const json::Value& message : raw) {
    EXPECT_EQ(value_bytes(message), bad);
    replayed += headers_of(message).contains("__millrace.replay.source") ? 1U : 0U;
  }
  EXPECT_EQ(replayed, 2U);
}

// A fixed rule makes the same dead letters good: the record is scored after its replay.
TEST(BadInput, ReplayAfterTheCauseIsMendedScoresTheRecord) {
  const Workplace place;
  place.train_telco();
  place.write("in.raw", with(good_customer(place), "tenure", "99") + "\n");
  ASSERT_EQ(place.run({"produce", "telco-churn", "--data", "in.raw", "--raw"}).exit_code, 0);
  const std::vector<std::string> strict = {
      "score", "telco-churn", "--mode", "batch", "--json", "--set", "schema.tenure.max=80"};
  ASSERT_EQ(place.run(strict).last_json()["dead_lettered"], 1);
  ASSERT_EQ(place.run({"dlq", "replay", "telco-churn", "--json"}).last_json()["replayed"], 1);
  EXPECT_EQ(
      place.run({"score", "telco-churn", "--mode", "batch", "--json"}).last_json()["predicted"], 1);
}

// Row B8: what is too big for the dead-letter topic is cut, and its headers say so.
TEST(BadInput, DeadLetterTooBigForItsTopicIsCut) {
  const Workplace place;
  place.train_telco();
  const std::string big = "{\"customerID\":\"" + std::string(200'000, 'x') + "\"}";
  place.write("in.raw", big + "\n");
  const std::string small = "dead_letter.message_bytes_max=65536";
  ASSERT_EQ(place.run({"produce", "telco-churn", "--data", "in.raw", "--raw"}).exit_code, 0);
  const Finished scored =
      place.run({"score", "telco-churn", "--mode", "batch", "--json", "--set", small});
  ASSERT_EQ(scored.exit_code, 0) << scored.err;
  const auto letters = place.dump("telco.deadletter");
  ASSERT_EQ(letters.size(), 1U);
  auto headers = headers_of(letters[0]);
  EXPECT_EQ(headers["__millrace.errors.truncated"], "true");
  EXPECT_EQ(headers["__millrace.errors.original_bytes"], std::to_string(big.size()));
  EXPECT_EQ(headers["__millrace.errors.sha256"].size(), 64U);
  EXPECT_TRUE(big.starts_with(value_bytes(letters[0])));
}

// The breaker stops the scorer rather than drain a broken topic into dead letters.
TEST(BadInput, FloodStopsTheScorerBeforeTheTopicIsDrained) {
  const Workplace place;
  place.train_telco();
  std::string input;
  for (int i = 0; i < 500; ++i) input += "broken\n";
  place.write("in.raw", input);
  ASSERT_EQ(place.run({"produce", "telco-churn", "--data", "in.raw", "--raw"}).exit_code, 0);
  const Finished scored =
      place.run({"score", "telco-churn", "--mode", "batch", "--set",
                 "dead_letter.stop_above.ratio=0.5", "--set", "dead_letter.stop_above.window=100"});
  EXPECT_EQ(scored.exit_code, 65);
  EXPECT_NE(scored.err.find("stop_above"), std::string::npos) << scored.err;
  EXPECT_TRUE(place.dump("telco.deadletter").empty());
  EXPECT_EQ(
      place.run({"score", "telco-churn", "--mode", "batch", "--json"}).last_json()["dead_lettered"],
      500);
}

TEST(BadInput, TerminalControlsInDataAreEscapedInOutput) {
  const Workplace place;
  place.train_telco();
  place.write("in.raw", with(good_customer(place), "Contract", "\"\\u001b[31mred\"") + "\n");
  ASSERT_EQ(place.run({"produce", "telco-churn", "--data", "in.raw", "--raw"}).exit_code, 0);
  ASSERT_EQ(place.run({"score", "telco-churn", "--mode", "batch"}).exit_code, 0);
  const Finished listed = place.run({"dlq", "list", "telco-churn"});
  EXPECT_EQ(listed.out.find('\x1b'), std::string::npos);
  EXPECT_NE(listed.out.find("unknown_value"), std::string::npos);
}

}  // namespace
}  // namespace millrace::integration
