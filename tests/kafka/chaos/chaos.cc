#include "kafka/chaos/chaos.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <future>
#include <utility>

#include "base/check.h"
#include "env/clock.h"
#include "env/crash_point.h"

namespace millrace::kafka_testing {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kNodes = 3;
constexpr int kTemplates = 500;
constexpr double kReadSeconds = 60;
constexpr double kStopSeconds = 30;
constexpr std::size_t kNotesMax = 200;
constexpr int kTakeMs = 5;
constexpr int kExitCodesEnd = 128;
// Visits of a point after which its process dies: from the first to this one.
constexpr std::uint64_t kVisitsMax = 3;
// How long an additional member stays, and stays away.
constexpr std::chrono::milliseconds kMemberTurn{2'000};
constexpr int kMembersInTurn = 3;

double seconds_since(SteadyClock::time_point then) {
  return std::chrono::duration<double>(SteadyClock::now() - then).count();
}

SteadyClock::time_point in_seconds(double seconds) {
  return SteadyClock::now() +
         std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(seconds));
}

std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of('\n');
  if (end == std::string::npos) return "";
  const std::size_t begin = text.rfind('\n', end);
  return text.substr(begin + 1, end - begin);
}

// In the past, so that no broker refuses it.
std::int64_t first_event_time(int rows) { return env::real_clock().now().value() - rows - 60'000; }

void shuffle(std::deque<Kill>& kills, env::Random& random) {
  for (std::size_t i = kills.size(); i > 1; --i) std::swap(kills[i - 1], kills[random.below(i)]);
}

}  // namespace

// What the present phase wants of whom.
struct Chaos::Orders {
  std::vector<std::unique_ptr<Actor>> producers;
  std::vector<bool> done;
  std::vector<std::unique_ptr<Actor>> members;  // additional scorers
  std::deque<Kill> scorer_kills;
  std::deque<Kill> producer_kills;
  int member_turns = 0;
  SteadyClock::time_point next_member;
  SteadyClock::time_point next_kill;
  std::size_t begin = 0;  // rows of this phase
  std::size_t outputs = 0;
  SteadyClock::time_point waiting_since;
};

Chaos::Chaos(Plan plan) : plan_(std::move(plan)), random_(plan_.seed) {
  cluster_ = Cluster::start({.version = plan_.version, .nodes = kNodes, .proxied = true});
  std::string bootstrap;
  for (const ProxiedPorts& ports : cluster_->proxied()) {
    proxies_.push_back(std::make_unique<Proxy>(ports.advertised, ports.target));
    bootstrap += (bootstrap.empty() ? "" : ",") + ("127.0.0.1:" + std::to_string(ports.advertised));
  }
  CHECK(proxies_.size() == kNodes);
  broker_faults_ = std::make_unique<BrokerFaults>(*cluster_, proxies_, random_.next());
  telco_ = std::make_unique<Telco>(bootstrap);
  rows_ = std::make_unique<Rows>(telco_->place().simulate(kTemplates), plan_.producers,
                                 random_.next(), first_event_time(plan_.rows()));
  const integration::Finished created =
      telco_->place().run(command({"topics", "create", "telco-churn"}));
  CHECK(created.exit_code == 0);
  reader_ = std::make_unique<CommittedReader>(
      cluster_->bootstrap(),
      std::vector<std::string>{telco_->topic("in"), telco_->topic("out"), telco_->topic("dead")});
  const std::filesystem::path models = telco_->place().file(".millrace") / "models";
  for (int i = 0; i < kMembersInTurn; ++i) {
    const std::filesystem::path home = telco_->place().file("home-" + std::to_string(i));
    std::filesystem::create_directories(home);
    std::filesystem::copy(models, home / "models", std::filesystem::copy_options::recursive);
  }
  report_.plan = plan_;
}

Chaos::~Chaos() = default;

std::vector<std::string> Chaos::command(std::vector<std::string> words) const {
  words = telco_->command(std::move(words));
  for (const char* setting :
       {"input.partitions=2", "output.partitions=3", "dead_letter.partitions=1",
        "input.replication=3", "output.replication=3", "dead_letter.replication=3",
        "commit.records=500"}) {
    words.insert(words.end(), {"--set", setting});
  }
  return words;
}

Report Chaos::run() {
  for (int i = 0; i < plan_.scorers; ++i) {
    scorers_.push_back(
        std::make_unique<Actor>("score", telco_->place(), command({"score", "telco-churn"})));
  }
  for (const Phase& phase : plan_.phases) {
    report_.phases.push_back(run_phase(phase));
    const PhaseReport& last = report_.phases.back();
    std::fprintf(stderr, "%s: %s after %.0f s\n", phase.name.c_str(),
                 last.finished && last.verdict.good() ? "good" : "NOT GOOD", last.seconds);
    if (!last.finished) break;
  }
  stop_scorers();
  report_.all = judge_all();
  return report_;
}

// ----------------------------------------------------------------------------------------------
// a phase

void Chaos::begin_phase(const Phase& phase) {
  orders_ = std::make_unique<Orders>();
  orders_->begin = rows_->given().keys.size();
  orders_->outputs = outputs_seen();
  const std::vector<std::string> files = rows_->make(phase.rows);
  const int rate = std::max(1, phase.rows_per_second / plan_.producers);
  const int batch = std::clamp(rate / 4, 10, 1'000);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string name =
        "rows-" + std::to_string(orders_->begin) + "-" + std::to_string(i) + ".ndjson";
    telco_->place().write(name, files[i]);
    orders_->producers.push_back(
        std::make_unique<Actor>("produce", telco_->place(),
                                command({"produce", "telco-churn", "--data", name, "--batch-size",
                                         std::to_string(batch), "--rate", std::to_string(rate)})));
    orders_->done.push_back(files[i].empty());
  }
  if (phase.fault == Fault::kKillAtPoints) {
    queue_kills_at_points(phase.times);
    for (const auto& scorer : scorers_) scorer->kill_now();  // those that come after have orders
  }
  const auto member = [&](const std::string& home) {
    std::vector<std::string> words = {"score", "telco-churn"};
    if (!home.empty()) words.insert(words.end(), {"--home", home});
    orders_->members.push_back(std::make_unique<Actor>("member", telco_->place(), command(words)));
  };
  if (phase.fault == Fault::kMembersReturn) member("");
  for (int i = 0; phase.fault == Fault::kMembersChange && i < kMembersInTurn; ++i)
    member("home-" + std::to_string(i));
  orders_->next_member = SteadyClock::now() + kMemberTurn;
  orders_->next_kill = in_seconds(phase.seconds_between_kills);
  orders_->waiting_since = SteadyClock::now();
}

void Chaos::queue_kills_at_points(int times) {
  for (const std::string_view name : env::crash_point_names()) {
    if (name == "log.in_transaction") continue;  // of the embedded log
    // Neither scores nor produces.
    if (name.starts_with("sink.") || name.starts_with("tune.")) continue;
    for (int i = 0; i < times; ++i) {
      // Once a run, where something begins.
      const bool once = name == "log.in_init" || name == "produce.before_checkpoint";
      const std::uint64_t visit = once ? 1 : 1 + random_.below(kVisitsMax);
      const Kill kill{std::string(name) + ":" + std::to_string(visit), {}};
      if (!name.starts_with("produce.")) orders_->scorer_kills.push_back(kill);
      if (!name.starts_with("score.")) orders_->producer_kills.push_back(kill);
    }
  }
  shuffle(orders_->scorer_kills, random_);
  shuffle(orders_->producer_kills, random_);
}

PhaseReport Chaos::run_phase(const Phase& phase) {
  PhaseReport report;
  report.name = phase.name;
  begin_phase(phase);
  const auto started = SteadyClock::now();
  std::future<int> on_brokers;
  if (BrokerFaults::inflicts(phase.fault)) {
    on_brokers = std::async(std::launch::async, [this, &phase] {
      return broker_faults_->inflict(phase.fault, phase.times);
    });
  }
  const bool in_time = integration::eventually(
      [&] {
        tend_all(phase, report);
        watch(report);
        const bool over = !on_brokers.valid() ||
                          on_brokers.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
        const bool members_over =
            orders_->members.empty() || orders_->member_turns >= 2 * phase.times;
        return over && members_over && producers_are_done() && everything_is_there();
      },
      plan_.phase_seconds_max);
  broker_faults_->give_up();
  report.seconds = seconds_since(started);
  if (on_brokers.valid()) report.faults = on_brokers.get();
  if (!orders_->members.empty()) report.faults = orders_->member_turns;
  if (report.faults == 0) report.faults = report.kills;
  for (std::size_t i = 0; i < orders_->producers.size(); ++i) {
    if (!orders_->done[i]) report.still_busy.push_back(orders_->producers[i]->describe());
  }
  report.finished = reader_->read_to_the_end(kReadSeconds) && in_time;
  report.verdict =
      judge(rows_->given(), orders_->begin, rows_->given().keys.size(), seen(*reader_));
  // A kill that is still ordered belongs to this phase.
  for (const auto& scorer : scorers_) {
    if (scorer->running() && scorer->ordered()) scorer->kill_now();
  }
  return report;
}

// Kills it when it is due and starts it again when it is gone; true when it ended by itself and
// well.
bool Chaos::tend(Actor& actor, std::deque<Kill>& kills, PhaseReport& report) {
  const Actor::Change change = actor.look();
  if (change == Actor::Change::kEnded && actor.last().exit_code == 0) return true;
  if (change == Actor::Change::kEnded) note_end(actor, report.name);
  if (change == Actor::Change::kKilled) {
    ++report.kills;
    if (actor.ordered() && !actor.ordered()->point.empty()) {
      const std::string& point = actor.ordered()->point;
      if (actor.died_at_its_point()) {
        ++report_.kills_at[point.substr(0, point.find(':'))];
      } else {
        kills.push_back(*actor.ordered());
      }
    }
  }
  if (actor.running()) return false;
  std::optional<Kill> next;
  if (!kills.empty()) {
    next = std::move(kills.front());
    kills.pop_front();
  }
  actor.start(std::move(next));
  return false;
}

void Chaos::tend_all(const Phase& phase, PhaseReport& report) {
  for (const auto& scorer : scorers_) {
    if (tend(*scorer, orders_->scorer_kills, report)) note_end(*scorer, report.name);
  }
  for (std::size_t i = 0; i < orders_->producers.size(); ++i) {
    if (orders_->done[i]) continue;
    orders_->done[i] = tend(*orders_->producers[i], orders_->producer_kills, report);
  }
  for (const auto& member : orders_->members) {
    const Actor::Change change = member->look();
    if (change == Actor::Change::kKilled) ++report.kills;
    // One that is stopped before it listens to signals ends by the signal.
    const int code = member->last().exit_code;
    if (change == Actor::Change::kEnded && code != 0 && code != kExitCodesEnd + SIGTERM)
      note_end(*member, report.name);
  }
  move_members(phase);
  kill_some(phase);
}

// Joins and leaves in turn.
void Chaos::move_members(const Phase& phase) {
  if (orders_->members.empty() || SteadyClock::now() < orders_->next_member) return;
  if (orders_->member_turns >= 2 * phase.times) return;
  const auto who = static_cast<std::size_t>(orders_->member_turns / 2) % orders_->members.size();
  Actor& member = *orders_->members[who];
  if (orders_->member_turns % 2 == 0) {
    member.start(std::nullopt);
  } else if (random_.below(2) == 0) {
    member.ask_to_stop();
  } else {
    member.kill_now();
  }
  ++orders_->member_turns;
  orders_->next_member = SteadyClock::now() + kMemberTurn;
}

void Chaos::kill_some(const Phase& phase) {
  if (phase.seconds_between_kills <= 0 || SteadyClock::now() < orders_->next_kill) return;
  const std::size_t who = random_.below(scorers_.size() + orders_->producers.size());
  if (who < scorers_.size()) {
    scorers_[who]->kill_now();
  } else {
    orders_->producers[who - scorers_.size()]->kill_now();
  }
  orders_->next_kill = in_seconds(phase.seconds_between_kills * (0.5 + random_.uniform()));
}

// What has come out, and how long nothing did although something was there to score.
void Chaos::watch(PhaseReport& report) {
  reader_->take(kTakeMs);
  const std::size_t outputs = outputs_seen();
  const bool waiting = reader_->seen(telco_->topic("in")).size() > outputs;
  if (outputs > orders_->outputs || waiting)
    report.longest_pause_s =
        std::max(report.longest_pause_s, seconds_since(orders_->waiting_since));
  if (outputs > orders_->outputs || !waiting) orders_->waiting_since = SteadyClock::now();
  orders_->outputs = outputs;
}

// ----------------------------------------------------------------------------------------------
// judging

std::size_t Chaos::outputs_seen() const {
  return reader_->seen(telco_->topic("out")).size() + reader_->seen(telco_->topic("dead")).size();
}

bool Chaos::everything_is_there() const {
  const std::size_t rows = rows_->given().keys.size();
  return reader_->seen(telco_->topic("in")).size() >= rows && outputs_seen() >= rows;
}

bool Chaos::producers_are_done() const {
  return std::all_of(orders_->done.begin(), orders_->done.end(), [](bool done) { return done; });
}

// A producer is bounded and may give up; whoever scores waits for brokers.
void Chaos::note_end(const Actor& actor, const std::string& where) {
  if (actor.name() != "produce" || actor.last().exit_code > kExitCodesEnd) ++report_.crashes;
  if (report_.ended_themselves.size() >= kNotesMax) return;
  report_.ended_themselves.push_back(where + ": " + actor.name() + " ended with " +
                                     std::to_string(actor.last().exit_code) + ": " +
                                     last_line(actor.last().err));
}

Topics Chaos::seen(const CommittedReader& reader) const {
  return {reader.seen(telco_->topic("in")), reader.seen(telco_->topic("out")),
          reader.seen(telco_->topic("dead"))};
}

void Chaos::stop_scorers() {
  for (const auto& scorer : scorers_) scorer->ask_to_stop();
  integration::eventually(
      [&] {
        bool all = true;
        for (const auto& scorer : scorers_) {
          if (scorer->look() == Actor::Change::kEnded && scorer->last().exit_code != 0)
            note_end(*scorer, "at the end");
          all = all && !scorer->running();
        }
        return all;
      },
      kStopSeconds);
}

// Once more, by a reader that has seen nothing yet.
PhaseReport Chaos::judge_all() {
  PhaseReport all;
  all.name = "all of it, read anew";
  CommittedReader reader(cluster_->bootstrap(),
                         {telco_->topic("in"), telco_->topic("out"), telco_->topic("dead")});
  all.finished = reader.read_to_the_end(kReadSeconds);
  all.verdict = judge(rows_->given(), 0, rows_->given().keys.size(), seen(reader));
  for (const PhaseReport& phase : report_.phases) {
    all.faults += phase.faults;
    all.kills += phase.kills;
    all.seconds += phase.seconds;
    all.longest_pause_s = std::max(all.longest_pause_s, phase.longest_pause_s);
  }
  return all;
}

}  // namespace millrace::kafka_testing
