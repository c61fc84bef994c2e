from tiles.memory import Memory


def test_what_is_remembered_is_recalled_under_its_own_key_and_tag_only():
    memory = Memory[str](1_000)
    memory.remember(("layer", "rights a"), "tag 1", "for a", 10)
    assert memory.recall(("layer", "rights a"), "tag 1") == "for a"
    assert memory.recall(("layer", "rights b"), "tag 1") is None
    assert memory.recall(("layer", "rights a"), "tag 2") is None


def test_the_least_recently_used_goes_first_and_large_answers_are_not_kept():
    memory = Memory[str](100)
    for number in range(10):
        memory.remember(number, "t", str(number), 10)
    assert memory.recall(0, "t") == "0"
    memory.remember("new", "t", "new", 10)
    assert [key for key in range(10) if memory.recall(key, "t") is None] == [1]
    memory.remember("large", "t", "large", 11)
    assert memory.recall("large", "t") is None
