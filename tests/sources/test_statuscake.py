"""StatusCake: a form's fields, and JSON."""

from tests.sources import reading


def test_down_and_up_have_one_key_though_one_is_a_form_and_one_is_json():
    down = reading.read("statuscake", "down")
    up = reading.read("statuscake", "up_json")
    assert (down.firing, up.firing) == (True, False)
    assert down.key == up.key


def test_two_tests_of_one_address_are_two_alerts():
    down = reading.payload("statuscake", "down")
    other = reading.event("statuscake", down | {"Name": "Booking (keyword)"})
    assert other.key != reading.event("statuscake", down).key


def test_no_answer_is_told_and_the_token_is_not():
    found = reading.read("statuscake", "down")
    assert found.title == "Booking is down"
    assert found.annotations["description"] == "Booking did not answer"
    assert "0f1e" not in str(found)


def test_a_tag_is_a_label():
    assert reading.read("statuscake", "down").labels["web"] == "true"
