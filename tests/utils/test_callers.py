from keras_balance.utils.callers import callers


def test_who_asks_comes_first_and_then_who_called():
    def knows(secret):
        found = []
        for module, name, held in callers():
            found.append((module, name, held.get("secret")))
        return found

    def calls(secret):
        return knows(secret + 1)

    found = calls(1)
    assert found[:2] == [(__name__, "knows", 2), (__name__, "calls", 1)]
    assert found[2][1] == "test_who_asks_comes_first_and_then_who_called"
    assert len(found) > 3
