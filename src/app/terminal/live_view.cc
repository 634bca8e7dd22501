#include "app/terminal/live_view.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace millrace::app {
namespace {

constexpr const char* kEnter = "\x1b[?1049h\x1b[?25l";  // another screen, no cursor
constexpr const char* kLeave = "\x1b[?25h\x1b[?1049l";
constexpr const char* kHome = "\x1b[H";
constexpr const char* kClearLine = "\x1b[K";
constexpr const char* kClearBelow = "\x1b[J";

}  // namespace

LiveView::LiveView(const env::StopToken& stop)
    : stop_(stop), live_(Screen::of_stdout().is_terminal()) {
  if (!live_) return;
  if (::isatty(STDIN_FILENO) != 0 && ::tcgetattr(STDIN_FILENO, &before_) == 0) {
    termios keys = before_;
    // Keys come as they are pressed and are not shown; Ctrl-C stays a signal.
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    keys.c_cc[VMIN] = 0;
    keys.c_cc[VTIME] = 0;
    reads_keys_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &keys) == 0;
  }
  write(kEnter);
}

LiveView::~LiveView() {
  if (!live_) return;
  write(kLeave);
  if (reads_keys_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

void LiveView::draw(const std::vector<std::string>& lines) {
  if (!live_) return;
  const std::size_t rows = std::min(lines.size(), screen().rows);
  std::string out = kHome;
  for (std::size_t i = 0; i < rows; ++i) {
    out += lines[i] + kClearLine;
    if (i + 1 < rows) out += "\r\n";
  }
  // On a full screen there is nothing below; clearing there would take the last character.
  if (rows < screen().rows) out += std::string("\r\n") + kClearBelow;
  write(out);
}

LiveView::Woken LiveView::wait(Milliseconds span) {
  std::array<pollfd, 2> watched{
      {{stop_.descriptor(), POLLIN, 0}, {reads_keys_ ? STDIN_FILENO : -1, POLLIN, 0}}};
  constexpr Milliseconds kWaitMax{10'000};
  const auto wait_ms = static_cast<int>(std::clamp(span, Milliseconds(0), kWaitMax).count());
  static_cast<void>(::poll(watched.data(), watched.size(), wait_ms));
  if (stop_.requested()) return Woken::kStop;
  if (watched[1].revents == 0) return Woken::kTime;
  std::array<char, 64> keys{};
  const ssize_t count = ::read(STDIN_FILENO, keys.data(), keys.size());
  if (count <= 0) {
    reads_keys_ = count < 0 && errno == EINTR;  // the terminal is gone; do not ask it again
    return Woken::kTime;
  }
  const auto end = keys.begin() + count;
  return std::find(keys.begin(), end, 'q') == end ? Woken::kTime : Woken::kQuit;
}

void LiveView::write(const std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::write(STDOUT_FILENO, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    // A terminal that is gone is no reason to do anything but end, which the caller decides.
    if (count <= 0) return;
    done += static_cast<std::size_t>(count);
  }
}

}  // namespace millrace::app
