"""Recorded results: complete, with their source, and the tutorial's log as it was published."""

import re

import pytest

from utils import results


@pytest.mark.parametrize("name", results.names())
def test_every_result_says_where_it_comes_from_and_what_its_columns_are(name):
    result = results.load(name)
    assert len(result.title.split()) > 2 and len(result.source.split()) > 2
    assert result.rows and all(row.keys() == result.rows[0].keys() for row in result.rows)
    assert set(result.rows[0]) <= set(result.about["columns"])


def test_the_tutorials_log_is_the_published_one():
    log = results.load("seed_log")
    accuracy = log["test_accuracy"]
    assert log["epoch"] == list(range(1, 21))
    assert [accuracy[epoch - 1] for epoch in (1, 5, 10, 15, 20)] == [0.5746, 0.7788, 0.8276, 0.8543, 0.8495]
    assert max(accuracy) == accuracy[18] == 0.8605
    assert sum(log["seconds"]) == pytest.approx(1653.21)
    assert log["loss"][0] == 1.5168 and log["accuracy"][18] == 0.9069
    assert log["loss"] == sorted(log["loss"], reverse=True)


def test_a_result_shows_itself_with_its_source_as_text_and_as_a_table():
    log = results.load("seed_log")
    assert repr(log).count("\n") == 21 and "«Convolution & Deep Learning»" in repr(log)
    page = log._repr_html_()
    assert page.count("<tr>") == 21 and "Learning» [0]" in page and "&amp;" in page and not re.search("& ", page)


def test_an_unknown_result_or_column_is_answered_with_those_there_are():
    with pytest.raises(ValueError, match=r"'seedlog'; there are: .*seed_log"):
        results.load("seedlog")
    with pytest.raises(ValueError, match="no result"):
        results.load("../data/seed_log")
    with pytest.raises(KeyError, match="has no column 'time'; it has: epoch, loss"):
        results.load("seed_log")["time"]


def test_the_autoencoders_losses_are_those_of_the_lecture():
    log = results.load("autoencoder_seed_log")
    assert log["convolutional_train"] == [0.4371, 0.2227, 0.1994] and log["convolutional_val"][-1] == 0.1985
    assert log["single_layer_train"] == [15.2723, 5.0810, 3.9312] and log.about["divided_by"] == 16
    assert [round(loss / 16, 3) for loss in log["single_layer_val"]] == [0.595, 0.306, 0.243]
