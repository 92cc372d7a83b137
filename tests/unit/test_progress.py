"""How far a long work is said to be."""

from __future__ import annotations

import time

import pytest

from data_builders.progress import Bar, Lines, Quiet, progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that is put forward by hand."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_the_time_left_is_that_of_this_run_s_speed(clock, capsys):
    """Eighty of a hundred were there already; two took eleven seconds, so that eighteen take ninety-nine."""
    bar = Lines("facts")
    bar.start("it", 100)
    bar.advance(50, before=True)
    bar.advance(30, before=True)
    bar.advance(1)
    clock[0] += 11
    bar.advance(1)
    assert capsys.readouterr().err == "it: 100 facts\nit: 82 of 100, 99 s left\n"


def test_nothing_is_said_of_the_time_before_anything_is_done(clock, capsys):
    bar = Lines("facts")
    bar.start("it", 100)
    clock[0] += 11
    bar.advance(80, before=True)
    assert capsys.readouterr().err == "it: 100 facts\n"
    bar.advance(1)
    assert capsys.readouterr().err == "it: 81 of 100, 209 s left\n"


def test_each_language_has_a_count_of_its_own(clock, capsys):
    bar = Lines("documents")
    bar.start("it", 0)
    bar.advance(7, before=True)
    bar.start("ja", 0)
    clock[0] += 11
    bar.advance(3)
    assert capsys.readouterr().err == "it …\nja …\nja: 3 documents\n"


def test_a_bar_begins_where_the_earlier_run_ended():
    with Bar("facts, own[x]") as bar:
        bar.start("it", 100)
        bar.advance(80, before=True)
        task = bar.bar.tasks[bar.task]
        assert (task.completed, task.total, task.speed, task.description) == (80, 100, None, "it, facts, own[x]")
        bar.advance(5)
        assert bar.bar.tasks[bar.task].completed == 85
        bar.start("ja", 10)
        bar.advance(10, before=True)
        assert [one.completed for one in bar.bar.tasks] == [85, 10]


def test_the_form_suits_where_it_goes(capsys):
    assert type(progress(True)) is Quiet and type(progress(False, "steps")) is Lines
