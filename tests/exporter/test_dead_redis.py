"""While Redis dies and comes back, every scrape is answered, and the log says it once."""

import logging

from exporter.app import create_app
from exporter.settings import Settings

UP, SUCCESS = ("doodle_journal_up",), ("doodle_exporter_collector_success", "journal")


def test_a_killed_redis_is_down_until_it_is_there_again(environment, redis_server, ask, read, eventually, caplog):
    caplog.set_level(logging.INFO, logger="exporter")
    app = create_app(Settings.from_environment(environment | {"DOODLE_JOURNAL": redis_server.url}))

    def scrape():
        status, _, text = ask(app)
        assert status == "200 OK"
        return read(text)

    def events(name):
        return sum(f"event={name} " in message for message in caplog.messages)

    assert scrape()[UP] == 1
    redis_server.kill()
    for _ in range(3):
        samples = scrape()
        assert (samples[UP], samples[SUCCESS]) == (0, 0)
        assert samples["doodle_pipeline_test_accuracy_ratio",] == 0.9938
        assert samples["doodle_store_versions",] == 0
        assert ("doodle_feedback_recent",) not in samples  # it is not known, and no zero
    assert events("collector_failed") == 2  # journal and feedback

    redis_server.start()
    eventually(lambda: scrape()[UP] == 1, "the exporter sees Redis again")
    assert scrape()[SUCCESS] == 1
    assert events("collector_recovered") == 2
