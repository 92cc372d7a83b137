"""One planted world for all tests of this folder."""

import pytest

from data_builders.atlas import Atlas
from data_builders.planted.world import write_world


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """The world that the shipped model has read: every language, the default seed."""
    folder = tmp_path_factory.mktemp("planted") / "world"
    write_world(folder, Atlas(None))
    return folder
