"""A task with one of its datasets, and the epochs that fairseq's trainer gets of it."""

from __future__ import annotations

import pytest


@pytest.fixture
def load(make_task):
    """A task and one of its datasets: `load("train", "--mixture", "...")`."""

    def load(split, *arguments, **options):
        task = make_task(*arguments, **options)
        task.load_dataset(split)
        return task, task.datasets[split]

    return load


@pytest.fixture
def load_parts(load):
    """A task and its training set, whose epoch comes in parts of about so many samples."""

    def load_parts(*arguments, part_samples=16):
        task, dataset = load("train", *arguments)
        dataset.part_samples, dataset.epoch = part_samples, None
        dataset.set_epoch(1)
        return task, dataset

    return load_parts


def iterator(task, dataset, epoch=1, **options):
    settings = {"max_tokens": 60, "required_batch_size_multiple": 8, "seed": 1, "epoch": epoch}
    return task.get_batch_iterator(dataset, **{**settings, **options})
