// Real Kafka brokers for tests: those that ctest started, or a cluster of the test's own
// (tools/kafka does the work).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::kafka_testing {

struct ClusterOptions {
  std::string version = "3.9.1";
  int nodes = 1;         // 1 or 3
  bool secure = false;   // also listeners with TLS, and users (Secure)
  bool proxied = false;  // also a listener for a Proxy in front of each broker
};

// How to reach the listeners with TLS. Files live as long as the cluster.
struct Secure {
  std::string sasl_ssl_bootstrap;
  std::string ssl_bootstrap;  // wants a client certificate
  std::string expired_bootstrap;
  std::string wrong_host_bootstrap;
  std::vector<std::string> mechanisms;
  std::string ca_file;
  std::string other_ca_file;  // signed nothing
  std::string client_certificate_file;
  std::string client_key_file;
  std::string user;  // may do everything
  std::string password_file;
  std::string limited_user;  // may do nothing
  std::string limited_password_file;
};

// Where the proxy of one broker listens, and where it passes on to. Clients that bootstrap from
// `advertised` stay on the proxies.
struct ProxiedPorts {
  int advertised = 0;
  int target = 0;
};

// One cluster. Not thread-safe. What does not work fails the running test with tools/kafka's words.
// A shared cluster is used by several tests at once: only with topics and groups of unique names,
// and without stopping brokers. An own cluster is removed with this object.
class Cluster {
 public:
  // The cluster that ctest names in MILLRACE_KAFKA_CLUSTER; without one (a binary started by hand),
  // the cluster "default" of tools/kafka, which must be up.
  static std::unique_ptr<Cluster> shared();
  // A new one for this test alone. Takes seconds, and some 300 MB of memory a node.
  static std::unique_ptr<Cluster> start(const ClusterOptions& options);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // HOST:PORT,... of all nodes, plaintext.
  const std::string& bootstrap() const { return bootstrap_; }
  const std::string& version() const { return version_; }
  int nodes() const { return nodes_; }
  const std::optional<Secure>& secure() const { return secure_; }
  // One a node; empty without `proxied`.
  const std::vector<ProxiedPorts>& proxied() const { return proxied_; }

  // Where node `node` keeps its topics: a folder TOPIC-PARTITION each.
  std::string data_folder(int node) const;

  // Nodes count from 1. Only of an own cluster.
  void stop(int node);       // orderly
  void stop_hard(int node);  // kill -9
  void start(int node);      // returns when it is back in the cluster
  void pause(int node);      // it keeps its connections and answers nothing
  void resume(int node);

 private:
  enum class Ownership { kShared, kOwn };
  Cluster(std::string name, Ownership ownership);
  // Runs `tools/kafka <arguments> --name <name>`; its output, nothing when it failed.
  std::optional<std::string> run(const std::string& arguments) const;
  void read_report(const std::string& report);
  void command_on_node(const std::string& command, int node) const;

  std::string name_;
  Ownership ownership_;
  std::string folder_;
  std::string bootstrap_;
  std::string version_;
  int nodes_ = 0;
  std::optional<Secure> secure_;
  std::vector<ProxiedPorts> proxied_;
};

// `stem` with a suffix that no other test, process or run has: names of topics and groups.
std::string unique_name(const std::string& stem);

}  // namespace millrace::kafka_testing
