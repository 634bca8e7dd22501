// millrace top PIPELINE: what a running pipeline does, live.
#include <algorithm>
#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/pipeline_watch.h"
#include "app/session.h"
#include "app/terminal/live_view.h"
#include "app/top_view.h"
#include "json/json.h"

namespace millrace::app {
namespace {

// What comes is taken this often, so that no look has to take much at once.
constexpr Milliseconds kReadEvery{100};

struct Options {
  std::string pipeline;
  std::int64_t interval_ms = 1000;
  bool once = false;
};

// Looks again and again and shows it, until told to stop.
class Top {
 public:
  Top(Session& session, PipelineWatch watch, TopContext context, const Options& options)
      : session_(session),
        watch_(std::move(watch)),
        context_(std::move(context)),
        options_(options) {}

  Status run() {
    const bool live = !options_.once && !session_.flags().json;
    // Rates need two looks.
    MILLRACE_TRY(look());
    if (!live) {
      while (true) {
        if (!wait(nullptr)) return {};
        MILLRACE_TRY(look());
        MILLRACE_TRY(print());
        if (options_.once || session_.output_closed()) return {};
      }
    }
    LiveView view(session_.stop());
    while (true) {
      if (view.is_live()) view.draw(top_lines(view_, context_, view.screen()));
      if (!wait(&view)) return {};
      MILLRACE_TRY(look());
      if (view.is_live()) continue;
      MILLRACE_TRY(print());
      if (session_.output_closed()) return {};
    }
  }

 private:
  // A log that is away for a while is told, and what was seen last stays.
  Status look() {
    Status read = watch_.read(session_.clock().steady() + kReadEvery);
    Result<PipelineView> view = read ? watch_.look() : read.error();
    if (view) {
      view_ = std::move(*view);
      context_.problem.reset();
      if (view_.rates) context_.predicted.push_back(view_.rates->predicted);
      if (context_.predicted.size() > TopContext::kHistoryMax) context_.predicted.pop_front();
      return {};
    }
    if (options_.once || view.error().disposition() != Disposition::kRetry) return view.error();
    context_.problem = view.error().message();
    view_.at = session_.clock().now();
    return {};
  }

  // Reads on until the next look is due; false when it is enough.
  bool wait(LiveView* view) {
    const SteadyTime due = session_.clock().steady() + Milliseconds(options_.interval_ms);
    while (session_.clock().steady() < due) {
      const auto left = std::chrono::ceil<Milliseconds>(due - session_.clock().steady());
      const Milliseconds span = std::min(left, kReadEvery);
      if (view != nullptr) {
        if (view->wait(span) != LiveView::Woken::kTime) return false;
      } else {
        session_.clock().sleep_until(session_.clock().steady() + span);
        if (session_.stop().requested()) return false;
      }
      // What is wrong with it shows at the next look.
      static_cast<void>(watch_.read(session_.clock().steady() + span));
    }
    return true;
  }

  Status print() {
    std::string text;
    if (session_.flags().json) {
      text = json::to_line(to_json(view_, context_)) + "\n";
    } else {
      for (const std::string& line : top_lines(view_, context_, Screen())) text += line + "\n";
      if (!options_.once) text += "\n";
    }
    MILLRACE_TRY(session_.write(text));
    return session_.flush();
  }

  Session& session_;
  PipelineWatch watch_;
  TopContext context_;
  const Options& options_;
  PipelineView view_;
};

Result<int> run(Session& session, const Options& options) {
  MILLRACE_ASSIGN(const spec::LoadedPipeline loaded, session.load_pipeline(options.pipeline));
  MILLRACE_ASSIGN(const std::unique_ptr<log::Log> log, session.open_log(Session::Create::kNever));
  MILLRACE_ASSIGN(PipelineWatch watch, PipelineWatch::open(*log, loaded.pipeline, session.clock()));
  TopContext context;
  context.pipeline = loaded.pipeline.name;
  context.log = log->url();
  context.group = loaded.pipeline.group.value();
  MILLRACE_TRY(Top(session, std::move(watch), std::move(context), options).run());
  return 0;
}

}  // namespace

void register_top(CommandLine& line) {
  auto options = std::make_shared<Options>();
  line.command("top",
               "Watch a running pipeline: rates, consumer lag, latency, dead letters, scores",
               "millrace top telco-churn                     live; q or Ctrl-C ends it\n"
               "millrace top telco-churn --once              one look\n"
               "millrace top telco-churn --json | jq .rates  one JSON object a second")
      .positional("pipeline", &options->pipeline, "Shipped name, folder, or file")
      .value("--interval-ms", &options->interval_ms, "Time between two looks", 100, 3'600'000)
      .flag("--once", &options->once, "Print one look and end")
      .runs([options](Session& session) { return run(session, *options); });
}

}  // namespace millrace::app
