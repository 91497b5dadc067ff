"""
The judgement of the sizes of daemons.
"""

from __future__ import annotations

import pytest

from tests.ledger.book import Client, Kind, Ledger, Outcome, Promise
from tests.ledger.chaosrun import TOLERANCES
from tests.ledger.crowdreport import ledgerTable, sizesTable
from tests.ledger.measures import Curve, Measure, Reading, growths, least, parse
from tests.soak.run import drifts

MIB = 1024 * 1024

METRICS = """\
# HELP process_resident_memory_bytes Size.
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 6.291456e+07
# HELP process_open_fds Files.
# TYPE process_open_fds gauge
process_open_fds 24.0
# HELP txwebqq_delayed_calls Calls.
# TYPE txwebqq_delayed_calls gauge
txwebqq_delayed_calls 9.0
# HELP txwebqq_memory_blocks Blocks.
# TYPE txwebqq_memory_blocks gauge
txwebqq_memory_blocks 288300.0
"""

SIZES = parse(METRICS)


def sizes(measure: Measure, value: float) -> Reading:
    """
    Return the usual sizes but for one.
    """
    return {**SIZES, measure: value}


def test_parse() -> None:
    """
    The sizes are those of the metrics.
    """
    assert SIZES == {
        Measure.MEMORY: 60 * MIB,
        Measure.DESCRIPTORS: 24,
        Measure.CALLS: 9,
        Measure.BLOCKS: 288300,
    }


def test_least() -> None:
    """
    Of several readings the least of each size counts.
    """
    readings = [sizes(Measure.CALLS, 8), sizes(Measure.DESCRIPTORS, 20)]
    assert least(readings) == {**SIZES, Measure.CALLS: 8, Measure.DESCRIPTORS: 20}


@pytest.mark.parametrize(
    ("measure", "most", "more", "told"),
    [
        (
            Measure.MEMORY,
            68 * MIB,
            70 * MIB,
            "memory (MiB) 70.0, was 60.0, allowed 69.0",
        ),
        (Measure.DESCRIPTORS, 32, 33, "descriptors 33.0, was 24.0, allowed 32.0"),
        (Measure.CALLS, 17, 18, "delayed calls 18.0, was 9.0, allowed 17.0"),
        (
            Measure.BLOCKS,
            330000,
            340000,
            "blocks (1000) 340.0, was 288.3, allowed 331.5",
        ),
    ],
)
def test_growths(measure: Measure, most: float, more: float, told: str) -> None:
    """
    A size that has grown beyond its tolerance is told.
    """
    assert list(growths("relay", SIZES, sizes(measure, most), TOLERANCES)) == []
    told = f"the relay has grown: {told}"
    assert list(growths("relay", SIZES, sizes(measure, more), TOLERANCES)) == [told]


def curve(measure: Measure, growth: float) -> Curve:
    """
    Return the readings of half an hour, in which a size grows by a share of its first
    value in all.
    """
    made = Curve()
    for moment in range(0, 1800, 2):
        value = SIZES[measure] * (1 + growth * moment / 1800)
        made.add(moment, sizes(measure, value), moment % 300 > 290)
    return made


@pytest.mark.parametrize("measure", Measure)
def test_flat(measure: Measure) -> None:
    """
    Sizes that stay are flat, also when they are larger in the first third.
    """
    assert list(drifts("server", curve(measure, 0.05), 1800)) == []
    warming = Curve()
    for moment in range(0, 1800, 2):
        value = SIZES[measure] * (3 if moment < 600 else 1)
        warming.add(moment, sizes(measure, value), moment % 300 > 290)
    assert list(drifts("server", warming, 1800)) == []


@pytest.mark.parametrize("measure", Measure)
def test_leak(measure: Measure) -> None:
    """
    A size that grows, or shrinks, steadily is told.
    """
    for growth in (0.2, -0.4):
        (told,) = drifts("server", curve(measure, growth), 1800)
        assert told.startswith("the server is not flat: ")


def test_quiet() -> None:
    """
    Descriptors and delayed calls count in pauses only, memory always.
    """
    for measure in Measure:
        made = Curve()
        for moment in range(0, 1800, 2):
            isQuiet = moment % 300 > 290
            factor = 2 if moment > 1200 and not isQuiet else 1
            made.add(moment, sizes(measure, SIZES[measure] * factor), isQuiet)
        isTold = bool(list(drifts("server", made, 1800)))
        assert isTold is (measure in (Measure.MEMORY, Measure.BLOCKS))


def test_drawn() -> None:
    """
    A curve reaches from the least to the largest value, with gaps for times without a
    reading.
    """
    made = Curve()
    for moment, value in ((0, 10), (1, 20), (3, 80)):
        made.add(moment, sizes(Measure.CALLS, value))
    assert made.drawn(Measure.CALLS, 4, 4) == "▁▂ █"
    assert made.bounds(Measure.CALLS) == (10, 80)
    assert made.drawn(Measure.MEMORY, 4, 4) == "▁▁ ▁"


def test_sizesTable() -> None:
    """
    The sizes before and after stand beside each other.
    """
    after = {"relay": sizes(Measure.CALLS, 12)}
    text = sizesTable({"relay": SIZES}, after, "first -> last")
    head, row = text.splitlines()
    titles = "first -> last memory (MiB) descriptors delayed calls blocks (1000)"
    assert " ".join(head.split()) == titles
    assert row.split("  ")[-2].strip() == "9.0 -> 12.0"


def test_ledgerTable() -> None:
    """
    Each kind of message has a row, with what became of it at each recipient.
    """
    ledger = Ledger()
    for number in (1, 2, 3):
        ledger.clients[number] = Client(number, f"client {number}", Promise.ONCE)
    for outcome in (Outcome.ACCEPTED, Outcome.UNCERTAIN, Outcome.REFUSED):
        entry = ledger.open(Kind.GROUP, 1, 200001, {2, 3})
        ledger.settle(entry, outcome)
    ledger.show("tk000001", 2)
    ledger.show("tk000001", 2)
    ledger.show("tk000002", 3)
    row, total = (line.split()[-7:] for line in ledgerTable(ledger).splitlines()[1:])
    # Sent, accepted, uncertain, refused, shown, again, lost.
    assert row == total == ["3", "1", "1", "1", "2", "1", "1"]
