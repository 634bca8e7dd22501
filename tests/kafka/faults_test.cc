// Brokers that die, are away, or refuse: what the program does and says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

#include "integration/program.h"
#include "kafka/cluster.h"
#include "kafka/telco.h"

namespace millrace::kafka_testing {
namespace {

using integration::eventually;
using integration::Finished;
using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<std::string> kStream = {"score", "telco-churn", "--json"};

// Fault F3.
TEST(BrokerFaults, AScorerOutlivesABrokerThatIsKilledUnderIt) {
  const auto cluster = Cluster::start(ClusterOptions{});
  const Telco telco(cluster->bootstrap());
  telco.create();
  telco.produce(3'000);
  const auto scorer = telco.start(kStream);
  ASSERT_TRUE(eventually([&] { return telco.outputs() > 0; }, 60));
  cluster->stop_hard(1);
  cluster->start(1);
  telco.produce(2'000, 7);
  const std::size_t inputs = telco.dump("in").size();
  EXPECT_TRUE(eventually([&] { return telco.outputs() >= inputs; }, 90)) << scorer->err_so_far();
  EXPECT_TRUE(scorer->running());
  scorer->signal(SIGTERM);
  EXPECT_EQ(scorer->wait(20).exit_code, 0);
  EXPECT_EQ(telco.outputs(), inputs);
}

// Faults F2 and F4: told to stop while the broker is away.
TEST(BrokerFaults, AScorerStoppedWhileTheBrokerIsAwayTriesAgainLater) {
  const auto cluster = Cluster::start(ClusterOptions{});
  const Telco telco(cluster->bootstrap());
  telco.create();
  cluster->stop(1);
  const auto waiting = telco.start(kStream);
  ASSERT_TRUE(eventually(
      [&] { return waiting->err_so_far().find("trying again") != std::string::npos; }, 30));
  waiting->signal(SIGTERM);
  EXPECT_EQ(waiting->wait(30).exit_code, 75);
  // A bounded command gives up by itself, and says why.
  const Finished window = telco.run({"score", "telco-churn", "--mode", "batch"});
  EXPECT_EQ(window.exit_code, 69);
  EXPECT_THAT(window.err, HasSubstr(cluster->bootstrap()));
  const Finished doctor = telco.run({"doctor", "telco-churn"});
  EXPECT_EQ(doctor.exit_code, 69);
  // And one that is started before its broker finds it.
  const auto patient = telco.start(kStream);
  cluster->start(1);
  telco.produce(500);
  const std::size_t inputs = telco.dump("in").size();
  EXPECT_TRUE(eventually([&] { return telco.outputs() >= inputs; }, 60)) << patient->err_so_far();
  patient->signal(SIGTERM);
  EXPECT_EQ(patient->wait(20).exit_code, 0);
}

// Fault F12. No word of the password anywhere.
TEST(BrokerFaults, WhoIsRefusedIsToldWhichCheckFailed) {
  const auto cluster = Cluster::start({.secure = true});
  ASSERT_TRUE(cluster->secure().has_value());
  const Secure& secure = *cluster->secure();
  const integration::Workplace place;
  place.write("wrong_password", "open-sesame\n");
  const auto list = [&](const std::string& bootstrap, const std::string& ca,
                        const std::string& user, const std::string& password_file) {
    std::vector<std::string> words = {
        "topics", "list", "--log", "kafka://" + bootstrap, "-X", "ssl.ca.location=" + ca};
    for (const std::string& property :
         {std::string("security.protocol=SASL_SSL"), std::string("sasl.mechanisms=PLAIN"),
          "sasl.username=" + user, "sasl.password=${file:" + password_file + "}"}) {
      words.insert(words.end(), {"-X", property});
    }
    return place.run(words);
  };
  const std::string& broker = secure.sasl_ssl_bootstrap;
  const Finished good = list(broker, secure.ca_file, secure.user, secure.password_file);
  EXPECT_EQ(good.exit_code, 0) << good.err;

  const Finished password =
      list(broker, secure.ca_file, secure.user, place.file("wrong_password").string());
  EXPECT_EQ(password.exit_code, 77) << password.err;
  EXPECT_THAT(password.err, HasSubstr("uthentication"));
  EXPECT_THAT(password.err + password.out, Not(HasSubstr("open-sesame")));

  for (const auto& [bootstrap, ca] : {std::pair(secure.expired_bootstrap, secure.ca_file),
                                      std::pair(secure.wrong_host_bootstrap, secure.ca_file),
                                      std::pair(broker, secure.other_ca_file)}) {
    const Finished refused = list(bootstrap, ca, secure.user, secure.password_file);
    EXPECT_EQ(refused.exit_code, 77) << bootstrap << " " << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("certificate")) << bootstrap;
  }
  // One who may do nothing is told of what.
  const Finished limited =
      list(broker, secure.ca_file, secure.limited_user, secure.limited_password_file);
  EXPECT_EQ(limited.exit_code, 0) << limited.err;
  EXPECT_EQ(limited.out.find("telco"), std::string::npos);
}

}  // namespace
}  // namespace millrace::kafka_testing
