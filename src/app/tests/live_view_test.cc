// The terminal is given back as it was, however the view ends.
#include "app/terminal/live_view.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <array>
#include <csignal>
#include <string>

#include "env/clock.h"

namespace millrace::app {
namespace {

// A child process that shows a view on a terminal of its own until it is told to stop.
class Terminal {
 public:
  Terminal() {
    winsize size{};
    size.ws_row = 10;
    size.ws_col = 40;
    int theirs = -1;
    EXPECT_EQ(::openpty(&descriptor_, &theirs, nullptr, nullptr, &size), 0);
    // Before there is a child that could change them.
    EXPECT_EQ(::tcgetattr(descriptor_, &before_), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(descriptor_);
      ::login_tty(theirs);
      show();
      ::_exit(7);
    }
    EXPECT_GT(pid_, 0);
    ::close(theirs);
  }
  ~Terminal() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(descriptor_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // Reads until the child has written `text`; false when it ended or took too long.
  bool wait_for(const std::string& text) {
    const SteadyTime give_up = env::real_clock().steady() + std::chrono::seconds(20);
    while (seen_.find(text) == std::string::npos) {
      pollfd watched{descriptor_, POLLIN, 0};
      std::array<char, 4096> bytes{};
      if (env::real_clock().steady() > give_up) return false;
      if (::poll(&watched, 1, 100) <= 0) continue;
      const ssize_t count = ::read(descriptor_, bytes.data(), bytes.size());
      if (count <= 0) return false;
      seen_.append(bytes.data(), static_cast<std::size_t>(count));
    }
    return true;
  }
  void type(char key) { EXPECT_EQ(::write(descriptor_, &key, 1), 1); }
  bool keys_are_as_before() const {
    termios now{};
    ::tcgetattr(descriptor_, &now);
    return now.c_lflag == before_.c_lflag;
  }

 private:
  static void show() {
    env::StopToken stop;
    stop.listen_to_signals();
    {
      LiveView view(stop);
      view.draw({"hello", "world"});
      while (view.wait(std::chrono::seconds(10)) == LiveView::Woken::kTime) {
      }
    }
    [[maybe_unused]] const ssize_t ignored = ::write(STDOUT_FILENO, "ended", 5);
    // Alive until the test has looked at the terminal.
    ::pause();
  }

  pid_t pid_ = -1;
  int descriptor_ = -1;
  termios before_{};
  std::string seen_;
};

constexpr const char* kLeft = "\x1b[?25h\x1b[?1049l";

TEST(LiveView, DrawsOnAScreenOfItsOwnAndTheKeyQEndsIt) {
  Terminal terminal;
  ASSERT_TRUE(terminal.wait_for("\x1b[?1049h"));
  ASSERT_TRUE(terminal.wait_for("world"));
  terminal.type('x');
  terminal.type('q');
  ASSERT_TRUE(terminal.wait_for(kLeft));
  ASSERT_TRUE(terminal.wait_for("ended"));
  EXPECT_TRUE(terminal.keys_are_as_before());
}

TEST(LiveView, CtrlCGivesTheTerminalBack) {
  Terminal terminal;
  ASSERT_TRUE(terminal.wait_for("world"));
  terminal.type('\x03');
  ASSERT_TRUE(terminal.wait_for(kLeft));
  ASSERT_TRUE(terminal.wait_for("ended"));
  EXPECT_TRUE(terminal.keys_are_as_before());
}

}  // namespace
}  // namespace millrace::app
