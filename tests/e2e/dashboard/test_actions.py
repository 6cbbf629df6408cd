"""Each thing that can be done on a page, done once, and looked at from outside."""

from __future__ import annotations

import json

import dns.rcode
from playwright.sync_api import expect

from tests.e2e.commands import explained
from tests.e2e.dashboard.conftest import SCRIPT, Shown
from tests.e2e.dashboard.looking import Looking
from tests.e2e.waiting import until
from tests.servers.zone import full_name

BLOCKED = ["0.0.0.0"]


def overrides(shown: Shown) -> dict[str, object]:
    found: dict[str, object] = json.loads(shown.overrides.read_text())
    return found


# Queries


def test_a_question_is_found_blocked_and_allowed_by_a_click(looking: Looking, shown: Shown) -> None:
    name = full_name("several")
    looking.open("queries", f"?name={name}")
    looking.search("several.smartdoh.example")
    expect(looking.page.locator(".rows tbody tr").first).to_contain_text("several")
    looking.press("several", "block")
    looking.notice("block")
    until(lambda: shown.addresses("several") == BLOCKED)
    looking.press("several", "allow")
    until(lambda: "203.0.113.11" in shown.addresses("several"))
    assert overrides(shown)["several.smartdoh.example"] == "allow"


def test_a_question_is_sent_to_a_group(looking: Looking, shown: Shown) -> None:
    looking.open("queries", f"?name={full_name('both')}")
    looking.search("both")
    looking.press("both", "route")
    looking.button("abroad").click()
    until(lambda: explained(shown.proxy, full_name("both"))["group"]["name"] == "abroad")


def test_a_question_is_explained(looking: Looking) -> None:
    looking.open("queries", f"?name={full_name('ads')}&outcome=blocked")
    looking.search("ads")
    looking.press("ads", "explain")
    sheet = looking.page.locator(".sheet")
    expect(sheet).to_contain_text("routing.rules[0]: ads line 1")
    expect(sheet).to_contain_text("ads.txt:1")
    looking.button("Close").click()


def test_questions_are_filtered(looking: Looking) -> None:
    looking.open("queries")
    looking.page.get_by_label("Client").fill("127.0.0.99")
    looking.button("Search").click()
    expect(looking.page.locator(".empty")).to_have_text("No question fits.")
    looking.page.get_by_label("Client").fill("127.0.0.1")
    looking.page.get_by_label("Type").fill("a")
    looking.page.get_by_label("Type").press("Enter")
    looking.search("127.0.0.1")


def test_questions_are_followed_as_they_come(looking: Looking, shown: Shown) -> None:
    looking.open("queries")
    looking.page.locator(".q-toggle").click()
    expect(looking.page.locator(".empty")).to_contain_text("Waiting")

    def is_there() -> bool:
        shown.ask(full_name("followed.wild"))
        return looking.row("followed.wild").is_visible()

    until(is_there)


def test_a_name_with_markup_is_text(looking: Looking, shown: Shown) -> None:
    """In a table, in an explanation and in a notice."""
    looking.page.on("dialog", lambda dialog: looking.problems.append(f"a script ran: {dialog.message}"))
    looking.open("overview")
    for _ in range(40):  # the overview has the busiest names
        shown.ask(SCRIPT)
    expect(looking.row("<script>alert")).to_be_visible()
    looking.open("queries")
    looking.search("</script>.example")
    assert looking.page.locator("td script").count() == 0
    looking.press("script", "explain")
    expect(looking.page.locator(".sheet h2")).to_contain_text("<script>alert")
    looking.button("Close").click()
    looking.press("script", "block")
    looking.page.locator(".q-notification", has_text="script").first.wait_for()


# Upstreams


def test_an_upstream_is_sent_to_rest_and_woken(looking: Looking, shown: Shown) -> None:
    looking.open("upstreams")
    card = looking.page.locator(".card", has_text="abroad").last
    card.locator(".act-rest").click()
    expect(card).to_contain_text("resting")
    [upstream] = explained(shown.proxy, full_name("n1.wild"))["group"]["upstreams"]
    assert upstream["health"] == "resting"
    card.locator(".act-wake").click()
    expect(card).not_to_contain_text("resting")
    assert shown.addresses("woken.wild") == ["203.0.113.77"]


# Cache


def test_an_answer_is_looked_at_and_flushed(looking: Looking, shown: Shown) -> None:
    name = full_name("text")
    shown.ask(name, "TXT")
    looking.open("cache")
    looking.page.get_by_label("Name").fill(name)
    looking.page.get_by_label("Name").press("Enter")
    looking.press("TXT", "look")
    expect(looking.page.locator(".sheet")).to_contain_text('"short text"')
    looking.button("Close").click()
    looking.press("TXT", "flush")
    looking.notice("forgotten")
    assert explained(shown.proxy, name, "TXT")["cached"] == []


def test_a_name_and_everything_can_be_flushed(looking: Looking, shown: Shown) -> None:
    shown.ask(full_name("mail"), "MX")
    looking.open("cache", f"?name={full_name('mail')}")
    expect(looking.row("MX")).to_be_visible()
    looking.button("Flush the name").click()
    expect(looking.page.locator(".empty")).to_contain_text("Nothing is kept")
    shown.ask(full_name("mail"), "MX")
    looking.button("Flush everything").click()
    looking.page.locator(".sheet").get_by_role("button", name="Flush everything").click()
    looking.notice("forgotten")
    assert explained(shown.proxy, full_name("mail"), "MX")["cached"] == []


# Rules


def test_a_name_is_tried(looking: Looking) -> None:
    looking.open("rules")
    looking.page.locator("input[aria-label='Name']").first.fill(full_name("ads"))
    looking.page.locator("input[aria-label='Name']").first.press("Enter")
    expect(looking.page.locator(".explained")).to_contain_text("routing.rules[0]: ads line 1")


def test_overrides_are_added_edited_and_removed(looking: Looking, shown: Shown) -> None:
    looking.open("rules")
    looking.page.get_by_label("Name (=name for itself alone)").fill(full_name("alias"))
    looking.button("Add").click()
    until(lambda: shown.addresses("alias") == BLOCKED)
    looking.press("alias.smartdoh.example", "edit")
    looking.page.locator(".sheet textarea").fill('["192.0.2.9"]')
    looking.button("Save").click()
    until(lambda: shown.addresses("alias") == ["192.0.2.9"])
    looking.press("alias.smartdoh.example", "edit")
    looking.page.locator(".sheet textarea").fill('"no such group"')
    looking.button("Save").click()
    looking.notice("no such group")
    looking.press("alias.smartdoh.example", "remove")
    until(lambda: "203.0.113.1" in shown.addresses("alias"))
    assert overrides(shown)["nas.home.arpa"] == ["192.168.1.5"], "the others stay"


def test_a_list_is_updated(looking: Looking, shown: Shown) -> None:
    looking.open("rules")
    (shown.overrides.parent / "ads.txt").write_text(f"{full_name('ads')}\n{full_name('middle')}\n")
    looking.press("ads.txt", "update")
    looking.notice("ads:")
    until(lambda: shown.addresses("middle") == BLOCKED)


def test_leaks_of_a_list_are_told(looking: Looking) -> None:
    looking.open("rules")
    looking.press("ads.txt", "leaks")
    sheet = looking.page.locator(".sheet")
    expect(sheet).to_contain_text("no name of it was sent outside of its group", timeout=20_000)
    looking.button("Close").click()


# Settings


def test_the_config_is_shown_and_read_again(looking: Looking, shown: Shown) -> None:
    looking.open("settings")
    expect(looking.page.locator(".card", has_text="[groups.abroad]")).to_contain_text("hedged")
    whole = shown.config.read_text()
    try:
        shown.config.write_text(whole + '\n[block]\nanswer = "nxdomain"\n')
        looking.button("Reload now").click()
        looking.notice("The new config is in force")
        assert shown.ask(full_name("ads")).rcode() == dns.rcode.NXDOMAIN
        shown.config.write_text(whole + "\n[block]\nanswer = 5\n")
        looking.button("Reload now").click()
        looking.notice("refused")
        expect(looking.page.locator(".code")).to_contain_text("block.answer")
    finally:
        shown.config.write_text(whole)
        looking.button("Reload now").click()
        looking.page.locator(".q-notification", has_text="in force").last.wait_for()
