// What millrace writes is read by other people's clients, and the other way round.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "env/file.h"
#include "integration/program.h"
#include "json/json.h"
#include "kafka/cluster.h"
#include "kafka/command.h"

namespace millrace::kafka_testing {
namespace {

using integration::Finished;
using integration::Workplace;

constexpr std::size_t kBigBytes = 900'000;  // below Kafka's limit of 1 MiB, headers included
constexpr std::uint64_t kSegmentBytesMax = std::uint64_t{64} << 20;

// The attributes of a batch name its codec by number.
const std::vector<std::string> kCodecs = {"none", "gzip", "snappy", "lz4", "zstd"};
const std::vector<std::string> kClients = {"kafka_python", "confluent_kafka", "kcat", "kafkajs"};

std::string source_folder() {
  const char* folder = std::getenv("MILLRACE_SOURCE_DIR");
  return folder != nullptr ? folder : ".";
}

std::string command_of(const std::string& client) {
  const std::string environment = source_folder() + "/build/interop/";
  const std::string program = source_folder() + "/tests/kafka/interop/use_" + client;
  if (client == "kafkajs") {
    return "NODE_PATH=" + quote(environment + "node_modules") + " node " + quote(program + ".js");
  }
  return quote(environment + "python/bin/python") + " -B " + quote(program + ".py");
}

// One message in the form of the clients' programs (wire.py).
struct Message {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<int> partition;
};

json::Value bytes_to_json(const std::optional<std::string>& bytes) {
  return bytes ? json::Value(base64(*bytes)) : json::Value(nullptr);
}

std::string to_wire(const Message& message) {
  json::Value row;
  row["partition"] = message.partition ? json::Value(*message.partition) : json::Value(nullptr);
  row["key"] = bytes_to_json(message.key);
  row["value"] = bytes_to_json(message.value);
  row["headers"] = json::Value::array();
  // KafkaJS has a map of headers: an order of names is not kept.
  auto headers = message.headers;
  std::stable_sort(headers.begin(), headers.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [name, value] : headers) {
    row["headers"].push_back(json::Value::array({name, base64(value)}));
  }
  return row.dump();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

// Puts a client's line into the one form that is compared.
std::string normal(const std::string& line) {
  json::Value row = json::parse(line, "client").value_or(json::Value());
  std::vector<json::Value> headers(row["headers"].begin(), row["headers"].end());
  std::stable_sort(headers.begin(), headers.end(),
                   [](const auto& a, const auto& b) { return a.at(0) < b.at(0); });
  row["headers"] = headers;
  return row.dump();
}

// A line of `topics dump` in the form of the clients' lines.
std::string dumped_to_wire(const json::Value& dumped) {
  const auto bytes = [&](const std::string& name) -> json::Value {
    if (dumped.contains(name + "_base64")) return dumped.at(name + "_base64");
    const json::Value& text = dumped.at(name);
    return text.is_null() ? text : json::Value(base64(text.get<std::string>()));
  };
  json::Value row;
  row["partition"] = dumped.at("partition");
  row["key"] = bytes("key");
  row["value"] = bytes("value");
  row["headers"] = json::Value::array();
  for (const json::Value& header : dumped.at("headers")) {
    const json::Value value = header.at(1).is_null()
                                  ? json::Value(nullptr)
                                  : json::Value(base64(header.at(1).get<std::string>()));
    row["headers"].push_back(json::Value::array({header.at(0), value}));
  }
  return normal(row.dump());
}

// Codecs of the batches of data in a topic's files. The first 23 bytes of a batch hold its length
// at 8 and its attributes at 21.
std::set<std::string> codecs_on_disk(const Cluster& cluster, const std::string& topic) {
  std::set<std::string> codecs;
  for (const auto& folder : std::filesystem::directory_iterator(cluster.data_folder(1))) {
    const std::string name = folder.path().filename().string();
    if (name.substr(0, name.rfind('-')) != topic) continue;
    const auto segment = folder.path() / "00000000000000000000.log";
    const std::string bytes = env::read_file(segment, kSegmentBytesMax).value_or("");
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
    for (std::size_t at = 0; at + 23 <= bytes.size();) {
      const bool is_control = (byte(at + 22) & 0x20) != 0;
      if (!is_control) codecs.insert(kCodecs.at(byte(at + 22) & 0x07));
      std::size_t length = 0;
      for (std::size_t i = 8; i < 12; ++i) length = length << 8 | byte(at + i);
      at += 12 + length;
    }
  }
  return codecs;
}

class Interop : public ::testing::Test {
 protected:
  void SetUp() override {
    cluster_ = Cluster::shared();
    ASSERT_FALSE(cluster_->bootstrap().empty());
  }

  std::vector<std::string> on_kafka(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--log", "kafka://" + cluster_->bootstrap()});
    return arguments;
  }
  std::string new_topic(const std::string& stem, int partitions = 2) const {
    std::string topic = unique_name(stem);
    const Finished made = place_.run(on_kafka(
        {"topics", "create", "--topic", topic, "--partitions", std::to_string(partitions)}));
    EXPECT_EQ(made.exit_code, 0) << made.err;
    return topic;
  }
  void write(const std::string& client, const std::string& topic, const std::string& codec,
             const std::vector<Message>& messages) const {
    std::string lines;
    for (const Message& message : messages) lines += to_wire(message) + "\n";
    place_.write("messages.ndjson", lines);
    const std::string command = command_of(client) + " write " + cluster_->bootstrap() + " " +
                                topic + " " + codec + " < " +
                                quote(place_.file("messages.ndjson").string());
    EXPECT_EQ(run_command(command).exit_code, 0) << command;
  }
  std::vector<std::string> read(const std::string& client, const std::string& topic,
                                std::size_t count) const {
    const CommandResult result = run_command(command_of(client) + " read " + cluster_->bootstrap() +
                                             " " + topic + " " + std::to_string(count));
    EXPECT_EQ(result.exit_code, 0) << client;
    std::vector<std::string> lines;
    for (const std::string& line : lines_of(result.output)) lines.push_back(normal(line));
    return lines;
  }
  std::vector<json::Value> dump(const std::string& topic) const {
    const Finished finished = place_.run(on_kafka({"topics", "dump", topic}));
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    return finished.json_lines();
  }
  std::vector<std::string> dump_as_wire(const std::string& topic) const {
    std::vector<std::string> lines;
    for (const json::Value& row : dump(topic)) lines.push_back(dumped_to_wire(row));
    return lines;
  }

  std::unique_ptr<Cluster> cluster_;
  Workplace place_;
};

// Text that no codec shrinks to nothing.
std::string big_value() {
  std::string value;
  std::uint32_t state = 1;
  while (value.size() < kBigBytes) {
    state = state * 1664525 + 1013904223;
    value += static_cast<char>('a' + (state >> 24) % 26);
  }
  return value;
}

// What a topic may hold; none of it is a customer of telco-churn.
std::vector<Message> strange_messages() {
  std::string binary;
  for (int i = 0; i < 1024; ++i) binary += static_cast<char>(i % 256);
  return {
      {"plain", R"({"a":1})", {{"source", "interop"}, {"empty", ""}}, 0},
      {std::nullopt, "no key", {}, 1},
      {"gone", std::nullopt, {{"why", "a tombstone"}}, 1},
      {"binary value", binary, {}, 0},
      {"\xff\xfe", "a key that is no text", {}, 0},
      {"ключ", "значение", {{"twice", "1"}, {"twice", "2"}, {"имя", "да"}}, 1},
      {"big", big_value(), {{"size", "big"}}, 1},
  };
}

// A topic for large messages feeds one for small ones: what does not fit is cut, and says so.
TEST_F(Interop, ADeadLetterTooLargeForItsTopicIsCut) {
  constexpr std::size_t kHugeBytes = 3'000'000;
  place_.train_telco(300);
  const std::string input = unique_name("huge");
  const std::string python = quote(source_folder() + "/build/interop/python/bin/python");
  const std::string script = quote(source_folder() + "/tests/kafka/interop/make_topic.py");
  ASSERT_EQ(run_command(python + " -B " + script + " " + cluster_->bootstrap() + " " + input +
                        " max.message.bytes=8000000")
                .exit_code,
            0);
  const std::string predictions = new_topic("predictions");
  const std::string dead_letters = new_topic("dead-letters", 1);
  std::string huge;
  while (huge.size() < kHugeBytes) huge += big_value();
  write("confluent_kafka", input, "none",
        {{"huge", huge, {{"source", "interop"}}, 0}, {"small", "{}", {}, 0}});
  const Finished scored =
      place_.run(on_kafka({"score", "telco-churn", "--mode", "batch", "--max-messages", "2",
                           "--input-topic", input, "--output-topic", predictions,
                           "--deadletter-topic", dead_letters, "--group", unique_name("interop")}));
  ASSERT_EQ(scored.exit_code, 0) << scored.err;

  const auto letters = dump(dead_letters);
  ASSERT_EQ(letters.size(), 2U);
  EXPECT_EQ(letters.at(0).at("key"), "huge");
  const std::string kept = letters.at(0).at("value").get<std::string>();
  EXPECT_LT(kept.size(), std::size_t{1} << 20);
  EXPECT_GT(kept.size(), std::size_t{1} << 19);
  EXPECT_TRUE(huge.starts_with(kept));
  const json::Value truncated = json::Value::array({"__millrace.errors.truncated", "true"});
  const auto& headers = letters.at(0).at("headers");
  EXPECT_NE(std::find(headers.begin(), headers.end(), truncated), headers.end());
  EXPECT_EQ(letters.at(1).at("key"), "small");
}

std::string name_of(const ::testing::TestParamInfo<std::string>& tested) { return tested.param; }

class FromClient : public Interop, public ::testing::WithParamInterface<std::string> {};

TEST_P(FromClient, MessagesOfEveryCodecAreReadUnchanged) {
  const std::string topic = new_topic("from-" + GetParam());
  std::vector<std::string> expected;
  for (const std::string& codec : kCodecs) {
    write(GetParam(), topic, codec, strange_messages());
    for (const Message& message : strange_messages()) expected.push_back(to_wire(message));
  }
  EXPECT_EQ(codecs_on_disk(*cluster_, topic),
            std::set<std::string>(kCodecs.begin(), kCodecs.end()));
  const auto read_back = dump_as_wire(topic);
  EXPECT_EQ(read_back.size(), expected.size());
  EXPECT_TRUE(
      std::is_permutation(read_back.begin(), read_back.end(), expected.begin(), expected.end()));
}

// With the partitioner of Java's client, or murmur2 where the client calls it so.
TEST_P(FromClient, KeysLandWhereMillraceWouldPutThem) {
  constexpr int kPartitions = 7;
  const std::string theirs = new_topic("theirs-" + GetParam(), kPartitions);
  const std::string ours = new_topic("ours", kPartitions);
  place_.write("customers.ndjson", place_.simulate(200));
  const Finished produced = place_.run(
      on_kafka({"produce", "telco-churn", "--data", "customers.ndjson", "--topic", ours}));
  ASSERT_EQ(produced.exit_code, 0) << produced.err;
  std::map<std::string, int> partition_of;
  std::vector<Message> messages;
  for (const json::Value& row : dump(ours)) {
    const std::string key = row.at("key").get<std::string>();
    if (!partition_of.emplace(key, row.at("partition").get<int>()).second) continue;
    if (messages.size() < 40) messages.push_back({key, "x", {}, std::nullopt});
  }
  ASSERT_EQ(messages.size(), 40U);
  write(GetParam(), theirs, "none", messages);
  const auto rows = dump(theirs);
  ASSERT_EQ(rows.size(), messages.size());
  for (const json::Value& row : rows) {
    const std::string key = row.at("key").get<std::string>();
    EXPECT_EQ(row.at("partition").get<int>(), partition_of.at(key)) << key;
  }
}

INSTANTIATE_TEST_SUITE_P(Clients, FromClient, ::testing::ValuesIn(kClients), name_of);

class ToClients : public Interop, public ::testing::WithParamInterface<std::string> {};

TEST_P(ToClients, PredictionsAndDeadLettersAreReadUnchanged) {
  place_.train_telco();
  const std::string input = new_topic("input");
  const std::string predictions = new_topic("predictions");
  const std::string dead_letters = new_topic("dead-letters");
  place_.write("customers.ndjson", place_.simulate(300));
  const Finished produced =
      place_.run(on_kafka({"produce", "telco-churn", "--data", "customers.ndjson", "--topic", input,
                           "-X", "compression.type=" + GetParam()}));
  ASSERT_EQ(produced.exit_code, 0) << produced.err;
  write("confluent_kafka", input, "none", strange_messages());
  const Finished scored = place_.run(
      on_kafka({"score", "telco-churn", "--mode", "batch", "--max-messages",
                std::to_string(300 + strange_messages().size()), "--input-topic", input,
                "--output-topic", predictions, "--deadletter-topic", dead_letters, "--group",
                unique_name("interop"), "-X", "compression.type=" + GetParam()}));
  ASSERT_EQ(scored.exit_code, 0) << scored.err;

  for (const std::string& topic : {input, predictions, dead_letters}) {
    const std::set<std::string> codecs = codecs_on_disk(*cluster_, topic);
    EXPECT_THAT(codecs, ::testing::Contains(GetParam())) << topic;
    const auto expected = dump_as_wire(topic);
    for (const std::string& client : kClients) {
      const auto seen = read(client, topic, expected.size());
      EXPECT_EQ(seen.size(), expected.size()) << client << " of " << topic;
      EXPECT_TRUE(std::is_permutation(seen.begin(), seen.end(), expected.begin(), expected.end()))
          << client << " of " << topic;
    }
  }
  EXPECT_EQ(dump(predictions).size(), 300U);
  std::multiset<std::string> set_aside;
  for (const json::Value& row : dump(dead_letters)) {
    const json::Value wire = json::parse(dumped_to_wire(row), "dump").value_or(json::Value());
    set_aside.insert(wire.at("key").dump() + wire.at("value").dump());
  }
  std::multiset<std::string> sent;
  for (const Message& message : strange_messages()) {
    sent.insert(bytes_to_json(message.key).dump() + bytes_to_json(message.value).dump());
  }
  EXPECT_TRUE(set_aside == sent) << set_aside.size();
}

INSTANTIATE_TEST_SUITE_P(Codecs, ToClients, ::testing::ValuesIn(kCodecs), name_of);

}  // namespace
}  // namespace millrace::kafka_testing
