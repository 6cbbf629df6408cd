"""Reading what dnsperf prints."""

import pytest

from bench.errors import BenchError
from bench.load import Load, Shape, parse_dnsperf, quantile

VERBOSE = """\
DNS Performance Testing Tool
Version 2.10.0

[Status] Command line: dnsperf -s 127.0.0.1 -p 7003 -d names.txt -n 1 -v
[Status] Sending queries (to 127.0.0.1:7003)
> NOERROR h0.example.com A 0.000400
> NOERROR h1.example.com A 0.000100
> SERVFAIL h2.example.com A 0.000050
> NOERROR h3.example.com A 0.000300
[Status] Testing complete (end of file)

Statistics:

  Queries sent:         5
  Queries completed:    4 (80.00%)
  Queries lost:         1 (20.00%)

  Response codes:       NOERROR 3 (75.00%), SERVFAIL 1 (25.00%)
  Average packet size:  request 37, response 53
  Run time (s):         0.500000
  Queries per second:   8.000000

  Average Latency (s):  0.000089 (min 0.000013, max 0.004911)
  Latency StdDev (s):   0.000209
"""

OVER_TCP = """\
Statistics:

  Queries sent:         80
  Queries completed:    80 (100.00%)
  Queries lost:         0 (0.00%)

  Response codes:       NOERROR 78 (97.50%), NXDOMAIN 2 (2.50%)
  Average packet size:  request 37, response 53
  Run time (s):         2.000000
  Queries per second:   40.000000

  Average Latency (s):  0.000089 (min 0.000013, max 0.004911)
  Latency StdDev (s):   0.000209

Connection Statistics:

  Reconnections:        0

  Average Latency (s):  0.026425 (min 0.002420, max 0.049825)
  Latency StdDev (s):   0.013594
"""

SILENT_SERVER = """\
Statistics:

  Queries sent:         100
  Queries completed:    0 (0.00%)
  Queries lost:         100 (100.00%)

  Response codes:      \x20
  Run time (s):         3.000046
  Queries per second:   0.000000
"""


def test_counts_and_rcodes() -> None:
    load = parse_dnsperf(VERBOSE)
    assert (load.sent, load.lost, load.seconds) == (5, 1, 0.5)
    assert load.rcodes == {"NOERROR": 3, "SERVFAIL": 1}


def test_only_good_answers_make_the_rate() -> None:
    assert parse_dnsperf(VERBOSE).rate == 6.0


def test_latencies_are_those_of_good_answers() -> None:
    found = parse_dnsperf(VERBOSE).answered
    assert found == [("h0.example.com", 0.0004), ("h1.example.com", 0.0001), ("h3.example.com", 0.0003)]


def test_a_lost_question_counts_as_the_slowest() -> None:
    load = parse_dnsperf(VERBOSE)
    assert load.latency(0.50) == 0.0004
    assert load.latency(0.99) > 1


def test_a_server_that_never_answered() -> None:
    load = parse_dnsperf(SILENT_SERVER)
    assert (load.answers, load.lost, load.rcodes) == (0, 100, {})


def test_output_without_statistics_is_an_error() -> None:
    with pytest.raises(BenchError, match="Queries sent"):
        parse_dnsperf("Error: unable to connect\n")


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (0.5, 3.0), (0.99, 4.0), (1.0, 4.0)])
def test_quantile(share: float, expected: float) -> None:
    assert quantile([4.0, 1.0, 3.0, 2.0], share) == expected


def test_quantile_of_nothing_is_an_error() -> None:
    with pytest.raises(BenchError, match="nothing was answered"):
        Load(sent=0, lost=0, seconds=1.0, rcodes={}).latency(0.5)


def test_statistics_of_connections_are_not_those_of_questions() -> None:
    load = parse_dnsperf(OVER_TCP)
    assert (load.sent, load.answers, load.seconds) == (80, 78, 2.0)


def test_what_counts_as_an_answer_can_be_said() -> None:
    load = parse_dnsperf(OVER_TCP, frozenset({"NOERROR", "NXDOMAIN"}), 1.5)
    assert (load.answers, load.rate, load.cpu_seconds) == (80, 40.0, 1.5)
    assert [name for name, _ in parse_dnsperf(VERBOSE, frozenset({"SERVFAIL"})).answered] == [
        "h2.example.com"
    ]


def test_a_shape_in_the_words_of_dnsperf() -> None:
    shape = Shape(transport="tcp", dnssec=True, sockets=100, outstanding=1_000)
    assert " ".join(shape.options()) == "-m tcp -c 100 -q 1000 -D"
    assert "-D" not in Shape().options()
