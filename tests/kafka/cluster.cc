#include "kafka/cluster.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "base/check.h"
#include "json/json.h"
#include "kafka/command.h"

#ifndef MILLRACE_KAFKA_TOOL  // CMake says where it is
#define MILLRACE_KAFKA_TOOL "tools/kafka"
#endif

namespace millrace::kafka_testing {
namespace {

std::string environment(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

std::string text(const json::Value& object, const char* key) {
  return object.value(key, std::string());
}

Secure secure_of(const json::Value& row) {
  Secure secure;
  secure.sasl_ssl_bootstrap = text(row, "sasl_ssl_bootstrap");
  secure.ssl_bootstrap = text(row, "ssl_bootstrap");
  secure.expired_bootstrap = text(row, "expired_bootstrap");
  secure.wrong_host_bootstrap = text(row, "wrong_host_bootstrap");
  for (const json::Value& name : row.at("mechanisms")) {
    secure.mechanisms.push_back(name.get<std::string>());
  }
  secure.ca_file = text(row, "ca_file");
  secure.other_ca_file = text(row, "other_ca_file");
  secure.client_certificate_file = text(row, "client_certificate_file");
  secure.client_key_file = text(row, "client_key_file");
  secure.user = text(row, "user");
  secure.password_file = text(row, "password_file");
  secure.limited_user = text(row, "limited_user");
  secure.limited_password_file = text(row, "limited_password_file");
  return secure;
}

}  // namespace

std::string unique_name(const std::string& stem) {
  static int counter = 0;
  const auto ticks = std::chrono::steady_clock::now().time_since_epoch().count();
  return stem + "-" + std::to_string(::getpid()) + "-" + std::to_string(ticks) + "-" +
         std::to_string(++counter);
}

Cluster::Cluster(std::string name, Ownership ownership)
    : name_(std::move(name)), ownership_(ownership) {}

Cluster::~Cluster() {
  if (ownership_ == Ownership::kOwn) run("down");
}

std::unique_ptr<Cluster> Cluster::shared() {
  const std::string name = environment("MILLRACE_KAFKA_CLUSTER", "default");
  std::unique_ptr<Cluster> cluster(new Cluster(name, Ownership::kShared));
  cluster->read_report(cluster->run("status --json").value_or(""));
  return cluster;
}

std::unique_ptr<Cluster> Cluster::start(const ClusterOptions& options) {
  // The prefix is what the clean-up after a killed test goes by.
  const std::string prefix = environment("MILLRACE_KAFKA_OWN_PREFIX", "own");
  std::unique_ptr<Cluster> cluster(new Cluster(unique_name(prefix).substr(0, 64), Ownership::kOwn));
  std::string arguments = "up --json --version " + options.version;
  arguments += " --nodes " + std::to_string(options.nodes);
  if (options.secure) arguments += " --sasl-ssl";
  if (options.proxied) arguments += " --advertise-proxied auto";
  cluster->read_report(cluster->run(arguments).value_or(""));
  return cluster;
}

std::optional<std::string> Cluster::run(const std::string& arguments) const {
  const std::string command = quote(MILLRACE_KAFKA_TOOL) + " " + arguments + " --name " + name_;
  const CommandResult result = run_command(command);
  if (result.exit_code == 0) return result.output;
  ADD_FAILURE() << "failed: " << command << "\n" << result.output;
  return std::nullopt;
}

void Cluster::read_report(const std::string& report) {
  const auto parsed = json::parse(report, "tools/kafka");
  if (!parsed) return;  // run() has failed the test
  folder_ = text(*parsed, "folder");
  bootstrap_ = text(*parsed, "bootstrap");
  version_ = text(*parsed, "version");
  nodes_ = static_cast<int>(parsed->at("nodes").size());
  if (parsed->contains("secure")) secure_ = secure_of(parsed->at("secure"));
  if (!parsed->contains("proxied")) return;
  for (const json::Value& row : parsed->at("proxied")) {
    proxied_.push_back({row.at("advertised").get<int>(), row.at("listens").get<int>()});
  }
}

void Cluster::command_on_node(const std::string& command, int node) const {
  CHECK(ownership_ == Ownership::kOwn);
  run(command + " " + std::to_string(node));
}

std::string Cluster::data_folder(int node) const {
  return folder_ + "/node-" + std::to_string(node) + "/data";
}

void Cluster::stop(int node) { command_on_node("stop", node); }
void Cluster::stop_hard(int node) { command_on_node("stop --hard", node); }
void Cluster::start(int node) { command_on_node("start", node); }
void Cluster::pause(int node) { command_on_node("pause", node); }
void Cluster::resume(int node) { command_on_node("resume", node); }

}  // namespace millrace::kafka_testing
