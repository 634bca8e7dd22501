// millrace log info|check: the embedded log's file.
#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/session.h"
#include "app/terminal/table.h"
#include "base/human.h"
#include "json/json.h"
#include "log_sqlite/sqlite_log.h"

namespace millrace::app {
namespace {

Result<int> info(Session& session) {
  MILLRACE_ASSIGN(const env::Path file, session.log_file());
  MILLRACE_ASSIGN(const log_sqlite::LogInfo info,
                  log_sqlite::sqlite_log_info(file, session.clock()));
  json::Value result;
  result["file"] = file.string();
  result["format_version"] = info.format_version;
  result["bytes"] = info.file_bytes;
  result["wal_bytes"] = info.wal_bytes;
  result["topics"] = info.topics;
  result["batches"] = info.batches;
  result["records"] = info.records;
  result["groups"] = info.groups;
  const std::string text =
      file.string() + ": format version " + std::to_string(info.format_version) + ", " +
      human_bytes(info.file_bytes) + " + " + human_bytes(info.wal_bytes) + " of write-ahead log\n" +
      human_count(info.topics) + " topics, " + human_count(info.records) + " records in " +
      human_count(info.batches) + " batches, " + human_count(info.groups) + " consumer groups";
  MILLRACE_TRY(session.finish(result, text));
  return 0;
}

// "topic/partition/offset: ", as far as the damage belongs to one.
std::string place_of(const log_sqlite::Damage& damage) {
  if (!damage.topic) return "";
  std::string place = damage.topic->value();
  if (damage.partition) place += "/" + std::to_string(damage.partition->value());
  if (damage.offset) place += "/" + std::to_string(damage.offset->value());
  return place + ": ";
}

Result<int> check(Session& session) {
  MILLRACE_ASSIGN(const env::Path file, session.log_file());
  MILLRACE_ASSIGN(const log_sqlite::CheckReport report,
                  log_sqlite::check_sqlite_log(file, session.clock()));
  json::Value result;
  result["file"] = file.string();
  result["format_version"] = report.format_version;
  result["sound"] = report.damage.empty();
  result["topics"] = report.topics;
  result["batches"] = report.batches;
  result["records"] = report.records;
  result["bytes"] = report.bytes;
  result["damage"] = json::Value::array();
  std::string text;
  for (const log_sqlite::Damage& damage : report.damage) {
    json::Value entry;
    entry["topic"] = damage.topic ? json::Value(damage.topic->value()) : json::Value();
    entry["partition"] = damage.partition ? json::Value(damage.partition->value()) : json::Value();
    entry["offset"] = damage.offset ? json::Value(damage.offset->value()) : json::Value();
    entry["what"] = damage.what;
    result["damage"].push_back(std::move(entry));
    text += place_of(damage) + damage.what + "\n";
  }
  text += file.string() + ": format version " + std::to_string(report.format_version) + ", " +
          human_count(report.records) + " records in " + human_count(report.batches) +
          " batches checked, " +
          (report.damage.empty() ? "all sound" : human_count(report.damage.size()) + " damaged");
  MILLRACE_TRY(session.finish(result, text));
  return report.damage.empty() ? 0 : exit_code_of(ErrorCode::kCorrupt);
}

}  // namespace

void register_log(CommandLine& line) {
  Command log = line.command("log", "Look at the embedded log's file and check it",
                             "millrace log info\nmillrace log check");
  log.subcommand("info", "Size, format version and counts", "millrace log info --json")
      .runs([](Session& session) { return info(session); });
  log.subcommand("check", "Read everything and verify every checksum; 65 when something is damaged",
                 "millrace log check --log sqlite:/backup/log.db")
      .runs([](Session& session) { return check(session); });
}

}  // namespace millrace::app
