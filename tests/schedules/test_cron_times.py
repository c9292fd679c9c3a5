"""Goal: cron texts are due when cron says, also where clocks are changed.
Method: random texts, in random zones around their changes of the clock, compared with a table made by croniter (what
matches) and zoneinfo (when a wall shows it), by the rules of docs/schedules.md. The seed is printed."""

import datetime as dt
import itertools
import os
import random
import subprocess
import zoneinfo

import pytest
from croniter import croniter

from conftest import BUILD

ZONES = ["Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca",
         "Pacific/Chatham", "Asia/Tehran", "Asia/Kathmandu", "America/St_Johns", "Africa/Cairo", "UTC"]
MINUTE = dt.timedelta(minutes=1)
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]


@pytest.fixture
def dice():
    seed = int(os.environ.get("TARN_SEED", random.randrange(1 << 30)))
    print(f"seed: {seed}")
    return random.Random(seed)


def due_times(cases):
    """[[datetime in UTC]] of [(zone, text, after, until)], as Tarn says."""
    lines = "".join(f"{zone}\t{text}\t{after:%Y-%m-%dT%H:%M:%SZ}\t{until:%Y-%m-%dT%H:%M:%SZ}\n"
                    for zone, text, after, until in cases)
    done = subprocess.run([str(BUILD / "tests" / "cron_times")], input=lines, capture_output=True, text=True, check=True)
    return [[dt.datetime.fromisoformat(word.replace("Z", "+00:00")) for word in line.split()]
            for line in done.stdout.splitlines()]


def random_field(dice, first, last, names=(), any_of=0.4, stars=True):
    if dice.random() < any_of:
        return "*"
    parts = []
    for _ in range(dice.choice([1, 1, 1, 2, 3])):
        a, b = sorted((dice.randint(first, last), dice.randint(first, last)))
        kind = dice.randrange(5)
        if kind == 0 and stars:
            parts.append(f"*/{dice.randint(1, last - first)}")
        elif kind == 1 and a < b:
            parts.append(f"{a}-{b}")
        elif kind == 2 and a < b:
            parts.append(f"{a}-{b}/{dice.randint(1, b - a)}")
        elif names:
            parts.append(names[a - first])
        else:
            parts.append(str(a))
    return ",".join(parts)


def random_text(dice, any_hour):
    minute = random_field(dice, 0, 59, any_of=0.1)
    hour = "*" if any_hour else random_field(dice, 0, 23, any_of=0)
    # Two day fields with a step of * in one: croniter and cron differ, so they are not made here.
    day = random_field(dice, 1, 31, any_of=0.6, stars=False)
    week = random_field(dice, 0, 6, names=DAYS if dice.random() < 0.5 else (), any_of=0.6, stars=day == "*")
    month = random_field(dice, 1, 12, names=MONTHS if dice.random() < 0.5 else (), any_of=0.8)
    if dice.random() < 0.1 and week == "*":
        day = "L"
    return f"{minute} {hour} {day} {month} {week}"


def changes_of(zone):
    """Moments in UTC at which the zone's clocks are changed, 2015 to 2035."""
    info, found = zoneinfo.ZoneInfo(zone), []
    at = dt.datetime(2015, 1, 1, tzinfo=dt.timezone.utc)
    while at.year < 2036:
        later = at + dt.timedelta(days=10)
        if later.astimezone(info).utcoffset() != at.astimezone(info).utcoffset():
            found.append(at)
        at = later
    return found or [dt.datetime(2026, 3, 1, tzinfo=dt.timezone.utc)]


def moment_of(wall, info):
    """The first moment at which the clock shows this time or a later one."""
    moment = wall.replace(tzinfo=info, fold=0).astimezone(dt.timezone.utc)
    if moment.astimezone(info).replace(tzinfo=None) == wall:
        return moment
    moment = wall.replace(tzinfo=info, fold=1).astimezone(dt.timezone.utc)
    before = moment.astimezone(info).utcoffset()
    while moment.astimezone(info).utcoffset() == before:
        moment += MINUTE
    return moment


def wanted_times(zone, text, after, until):
    info = zoneinfo.ZoneInfo(zone)
    found = set()
    if text.split()[1] == "*":  # by elapsed time: whenever the clock shows a match
        walls = set()
        first = after.astimezone(info).replace(tzinfo=None) - dt.timedelta(days=1)
        last = until.astimezone(info).replace(tzinfo=None) + dt.timedelta(days=2)
        for wall in matches(text, first, last):
            walls.add(wall)
        at = after.replace(second=0, microsecond=0)
        while at <= until:
            if at > after and at.astimezone(info).replace(tzinfo=None) in walls:
                found.add(at)
            at += MINUTE
        return sorted(found)
    first = after.astimezone(info).replace(tzinfo=None) - dt.timedelta(days=2)
    last = until.astimezone(info).replace(tzinfo=None) + dt.timedelta(days=2)
    for wall in matches(text, first, last):
        moment = moment_of(wall, info)
        if after < moment <= until:
            found.add(moment)
    return sorted(found)


def matches(text, first, last):
    times = croniter(text.replace("L", "l"), first - MINUTE, max_years_between_matches=10)
    while True:
        try:
            wall = times.get_next(dt.datetime)
        except Exception:  # never again
            return
        if wall > last:
            return
        yield wall


def test_random_texts_around_changes_of_the_clock(dice):
    cases = []
    for _ in range(300):
        zone = dice.choice(ZONES)
        after = dice.choice(changes_of(zone)) + dt.timedelta(minutes=dice.randint(-2880, 14400))
        cases.append((zone, random_text(dice, dice.random() < 0.3), after, after + dt.timedelta(days=dice.randint(1, 8))))
    total = 0
    for case, got in zip(cases, due_times(cases), strict=True):
        assert got == wanted_times(*case), case
        total += len(got)
    assert total > 1500


def test_random_texts_over_years(dice):
    cases = []
    for _ in range(300):
        after = dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(minutes=dice.randint(0, 5_000_000))
        cases.append(("UTC", random_text(dice, False), after, after + dt.timedelta(days=400)))
    for case, got in zip(cases, due_times(cases), strict=True):
        first = case[2].replace(tzinfo=None)
        wanted = [wall.replace(tzinfo=dt.timezone.utc)
                  for wall in itertools.islice(matches(case[1], first, first + dt.timedelta(days=400)), 60) if wall > first]
        assert got[:len(wanted)] == wanted, case
        assert len(wanted) > 50 or len(got) == len(wanted), case
