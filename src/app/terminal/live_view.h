// A whole terminal that is drawn anew again and again.
#pragma once

#include <termios.h>

#include <optional>
#include <string>
#include <vector>

#include "app/terminal/screen.h"
#include "base/time.h"
#include "env/stop.h"

namespace millrace::app {

// Takes standard output's terminal over and gives it back on destruction: the screen as it was, the
// cursor, the way keys are read. One a process; one thread. Where standard output is no terminal
// this draws nothing and only waits.
class LiveView {
 public:
  explicit LiveView(const env::StopToken& stop);
  LiveView(const LiveView&) = delete;
  LiveView& operator=(const LiveView&) = delete;
  ~LiveView();

  bool is_live() const { return live_; }
  // Asked before every drawing, since windows change their size.
  Screen screen() const { return Screen::of_stdout(); }
  // Lines as they should stand, none wider than the screen; those that do not fit are left out.
  void draw(const std::vector<std::string>& lines);

  // Waits for a key, the stop, or `span`.
  enum class Woken { kTime, kStop, kQuit };  // kQuit: the key q
  Woken wait(Milliseconds span);

 private:
  void write(const std::string& bytes);

  const env::StopToken& stop_;
  const bool live_;
  bool reads_keys_ = false;
  termios before_{};
};

}  // namespace millrace::app
