#include "ingest/checkpoint.h"

#include <array>
#include <cstdio>
#include <filesystem>

#include "base/hash.h"
#include "env/clock.h"
#include "json/json.h"

namespace millrace::ingest {
namespace {

constexpr int kFormatVersion = 1;
constexpr std::uint64_t kFileBytesMax = std::uint64_t{64} << 10;

Result<Checkpoint> from_json(const json::Value& value) {
  MILLRACE_ASSIGN(const int version, json::get<int>(value, "version"));
  if (version != kFormatVersion) {
    return Error(ErrorCode::kBadData, "checkpoint version " + std::to_string(version) +
                                          " is not known, only " + std::to_string(kFormatVersion));
  }
  Checkpoint checkpoint;
  ProduceTarget& target = checkpoint.target;
  MILLRACE_ASSIGN(checkpoint.id, json::get<std::string>(value, "id"));
  MILLRACE_ASSIGN(target.file, json::get<std::string>(value, "file"));
  MILLRACE_ASSIGN(target.file_sha256, json::get<std::string>(value, "file_sha256"));
  MILLRACE_ASSIGN(target.file_bytes, json::get<std::uint64_t>(value, "file_bytes"));
  MILLRACE_ASSIGN(target.form, json::get<std::string>(value, "form"));
  MILLRACE_ASSIGN(std::string topic, json::get<std::string>(value, "topic"));
  target.topic = TopicName(std::move(topic));
  MILLRACE_ASSIGN(target.topic_incarnation, json::get<std::string>(value, "topic_incarnation"));
  MILLRACE_ASSIGN(target.log_url, json::get<std::string>(value, "log"));
  MILLRACE_ASSIGN(const std::int64_t row, json::get<std::int64_t>(value, "last_row"));
  checkpoint.next_row = RowNumber(row);
  MILLRACE_ASSIGN(checkpoint.finished, json::get<bool>(value, "finished"));
  MILLRACE_ASSIGN(const std::string time, json::get<std::string>(value, "timestamp"));
  MILLRACE_ASSIGN(checkpoint.time, env::parse_rfc3339(time));
  if (checkpoint.id.empty() || row < 0) return Error(ErrorCode::kBadData, "empty id or bad row");
  return checkpoint;
}

}  // namespace

Result<std::optional<Checkpoint>> read_checkpoint(const env::Path& path) {
  auto text = env::read_file(path, kFileBytesMax);
  if (!text) {
    if (text.error().code() == ErrorCode::kNoInput) return std::optional<Checkpoint>();
    return text.error();
  }
  MILLRACE_ASSIGN(const json::Value value, json::parse(*text, path.string()));
  auto checkpoint = from_json(value);
  if (!checkpoint) return checkpoint.error().with_context(path.string());
  return std::optional<Checkpoint>(std::move(*checkpoint));
}

Status write_checkpoint(const env::Path& path, const Checkpoint& checkpoint) {
  const ProduceTarget& target = checkpoint.target;
  json::Value value = json::Value::object();
  value["version"] = kFormatVersion;
  value["id"] = checkpoint.id;
  value["last_row"] = checkpoint.next_row.value();
  value["finished"] = checkpoint.finished;
  value["timestamp"] = env::format_rfc3339(checkpoint.time);
  value["file"] = target.file;
  value["file_sha256"] = target.file_sha256;
  value["file_bytes"] = target.file_bytes;
  value["form"] = target.form;
  value["topic"] = target.topic.value();
  value["topic_incarnation"] = target.topic_incarnation;
  value["log"] = target.log_url;
  return env::write_file_atomic(path, json::to_pretty(value));
}

std::string difference(const ProduceTarget& saved, const ProduceTarget& wanted) {
  std::string text;
  const auto add = [&text](const std::string& clause) {
    if (!text.empty()) text += ", ";
    text += clause;
  };
  if (saved.log_url != wanted.log_url) {
    add("the log was " + saved.log_url + " and is " + wanted.log_url);
  }
  if (saved.topic != wanted.topic) {
    add("the topic was " + saved.topic.value() + " and is " + wanted.topic.value());
  } else if (saved.log_url == wanted.log_url &&
             saved.topic_incarnation != wanted.topic_incarnation) {
    add("the topic " + wanted.topic.value() + " was created anew");
  }
  if (saved.file_sha256 != wanted.file_sha256 || saved.file_bytes != wanted.file_bytes) {
    add(saved.file == wanted.file ? "the content of " + wanted.file + " changed"
                                  : "it belongs to another file, " + saved.file);
  }
  if (saved.form != wanted.form) add("rows were " + saved.form + " and are " + wanted.form);
  return text;
}

std::string checkpoint_file_name(const std::string& pipeline, const std::string& file,
                                 const TopicName& topic, const std::string& log_url) {
  std::error_code error;
  const env::Path absolute = std::filesystem::absolute(file, error);
  std::string identity = error ? file : absolute.lexically_normal().string();
  identity.append(1, '\0').append(topic.value()).append(1, '\0').append(log_url);
  std::array<char, 17> hex{};
  std::snprintf(hex.data(), hex.size(), "%016llx",
                static_cast<unsigned long long>(stable_hash64(identity)));
  return pipeline + "-" + hex.data() + ".json";
}

}  // namespace millrace::ingest
