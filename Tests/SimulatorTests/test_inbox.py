"""The inbox in a real browser: Debian's Chromium, headless, by its own driver.

Screenshots go to the folder named by SCREENSHOTS, if it is set.
"""

import json
import os
import shutil
import urllib.error
import urllib.parse
import urllib.request

import pytest

pytest.importorskip("selenium")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Debian's chromium and chromium-driver are not installed")

from selenium import webdriver  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

from alibabacloud_dysmsapi20170525 import models  # noqa: E402
from test_hostile import COMMON  # noqa: E402
from test_sdks import batch, new_client  # noqa: E402


@pytest.fixture(params=["en-light-wide", "zh-dark-narrow"])
def browser(request):
    language, scheme, width = request.param.split("-")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for option in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", f"lang={language}"):
        options.add_argument(f"--{option}")
    options.add_experimental_option("prefs", {"intl.accept_languages": language})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    size = (1200, 800) if width == "wide" else (420, 820)
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
    )
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    driver.name_of_view, driver.language = request.param, language
    yield driver
    # A refused change of settings is an answer of 400, which Chromium logs by itself.
    errors = [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE" and "(Bad Request)" not in entry["message"]]
    driver.quit()
    assert not errors, errors


def until(browser, condition, seconds=10):
    return WebDriverWait(browser, seconds, 0.05).until(lambda _: condition())


def find(browser, selector):
    return browser.find_element(By.CSS_SELECTOR, selector)


def texts(browser, selector):
    return browser.execute_script("return [...document.querySelectorAll(arguments[0])].map((n) => n.textContent)", selector)


def fits(browser, selector):
    """Whether nothing of an element is beside the window."""
    return browser.execute_script("const e = document.querySelector(arguments[0]); return e.scrollWidth <= e.clientWidth", selector)


def shoot(browser, name):
    if folder := os.environ.get("SCREENSHOTS"):
        browser.save_screenshot(f"{folder}/{name}-{browser.name_of_view}.png")


ACCOUNT = {
    "accessKeys": [{"id": "id", "secret": "secret"}],
    "templates": [{"code": "SMS_1", "content": "您的验证码为${code}，五分钟内有效。", "kind": "code"}],
    "numberLimits": "none",
    "numbers": [{"number": "13800000009", "outcome": "failed:MOBILE_NOT_ON_SERVICE"}],
}


def send(client, numbers, codes=None):
    codes = codes or [f"{index:04d}" for index in range(len(numbers))]
    request = models.SendBatchSmsRequest(
        phone_number_json=json.dumps(numbers),
        sign_name_json=json.dumps(["阿里云"] * len(numbers)),
        template_code="SMS_1",
        template_param_json=json.dumps([{"code": code} for code in codes]),
        out_id="job-1",
    )
    return client.send_batch_sms(request).body


def test_shows_messages_live_and_finds_them(start, browser, tmp_path):
    (tmp_path / "account.json").write_text(json.dumps(ACCOUNT))
    simulator = start("--account", str(tmp_path / "account.json"), "--report-delay", "0")
    client = new_client(simulator, None)
    browser.get(simulator.inbox)
    assert browser.execute_script("return document.documentElement.lang") == browser.language
    until(browser, lambda: find(browser, "#empty").is_displayed())
    assert send(client, ["13800000001", "13800000002", "13800000009"], ["4711", "<b>&", "0815"]).code != "OK"
    assert send(client, ["13800000001", "13800000002", "13800000009"], ["4711", "a0b1", "0815"]).code == "OK"
    until(browser, lambda: len(texts(browser, "#list li")) == 3)
    # By keyboard: from the search field into the list, and along it.
    find(browser, "body").send_keys("/")
    find(browser, "#search").send_keys(Keys.ARROW_DOWN)
    find(browser, "#list").send_keys(Keys.END)
    until(browser, lambda: "13800000001" in find(browser, "#detail").text)
    assert fits(browser, "#detail") and fits(browser, "#list") and fits(browser, "body")
    assert find(browser, ".bubble").text == "【阿里云】您的验证码为4711，五分钟内有效。"
    shoot(browser, "messages")
    for query, count in [("a0b1", 1), ("13800000009", 1), ("SMS_1", 3), ("五分钟", 3), ("nothing", 0)]:
        search = find(browser, "#search")
        search.clear()
        search.send_keys(query)
        until(browser, lambda: len(texts(browser, "#list li")) == count)
    assert find(browser, "#empty").text == {"en": "Nothing found.", "zh": "没有找到。"}[browser.language]
    find(browser, "#search").clear()
    find(browser, "#search").send_keys("13800000009")
    until(browser, lambda: len(texts(browser, "#list li")) == 1)
    find(browser, "#list li").click()
    until(browser, lambda: "MOBILE_NOT_ON_SERVICE" in find(browser, "#detail").text)


def test_shows_requests_with_what_the_gateway_thought(simulator, browser):
    client = new_client(simulator, None)
    client.send_batch_sms(batch())
    with pytest.raises(Exception):
        new_client(simulator, None, secret="wrong").send_batch_sms(batch())
    browser.get(simulator.inbox)
    until(browser, lambda: len(texts(browser, "#list li")) == 2)
    find(browser, "#list li").click()
    until(browser, lambda: texts(browser, "#detail button"))
    find(browser, "#detail button").click()
    until(browser, lambda: "SendBatchSms" in find(browser, "#request-detail").text)
    detail = find(browser, "#request-detail")
    # The parameters to be read, and the request as it was received.
    assert json.dumps(["13800000001", "13800000002"]) in detail.text and "阿里云" in detail.text
    raw = find(browser, "#request-detail pre").text
    assert fits(browser, "#request-detail") and fits(browser, "body")
    assert raw.startswith("POST /?") and "PhoneNumberJson=%5B%2213800000001%22" in raw and "ACS3-HMAC-SHA256" in raw
    find(browser, "#request-list li").click()
    until(browser, lambda: "SignatureDoesNotMatch" in find(browser, "#request-detail").text)
    assert "null" not in find(browser, "#request-detail").text
    # A name that no call has may be as long as it likes; the time beside it stays in sight.
    action = "<b>" + "Send" * 100
    with pytest.raises(urllib.error.HTTPError):
        query = COMMON.format("2026").replace("SendSms", urllib.parse.quote(action))
        urllib.request.urlopen(f"{simulator.endpoint}/?{query}")
    until(browser, lambda: action in texts(browser, "#request-list li b"))
    script = "const [edge, ...times] = arguments[0].map((s) => [...document.querySelectorAll(s)]).flat()"
    script += ".map((e) => e.getBoundingClientRect().right); return times.every((right) => right <= edge)"
    assert browser.execute_script(script, ["#request-list", "#request-list time"])
    shoot(browser, "requests")


def test_changes_faults_and_limits(simulator, browser):
    browser.get(simulator.inbox)
    find(browser, "#tab-faults").click()
    until(browser, lambda: find(browser, "[name=OnBadElement]").is_displayed())
    until(browser, lambda: find(browser, "[name=Latency]").get_attribute("value") == "0")
    field = find(browser, "[name=Faults]")
    field.send_keys("error:isv.OUT_OF_SERVICE=1,nth=1\nflood=1")
    find(browser, "#settings [type=submit]").click()
    until(browser, lambda: "flood" in find(browser, "#settings-result").text)
    field.clear()
    field.send_keys("error:isv.OUT_OF_SERVICE=1,nth=1")
    Select(find(browser, "[name=OnBadElement]")).select_by_value("fail-one")
    find(browser, "#settings [type=submit]").click()
    until(browser, lambda: len(texts(browser, "#fault-table tbody tr")) == 1)
    assert new_client(simulator, None).send_batch_sms(batch()).body.code == "isv.OUT_OF_SERVICE"
    until(browser, lambda: texts(browser, "#fault-table tbody td")[2] == "1")
    assert simulator.lines("faults")[0]["OnBadElement"] == "fail-one"
    assert fits(browser, "#settings")
    shoot(browser, "faults")


def test_stays_quick_with_ten_thousand_messages(simulator, browser):
    client = new_client(simulator, None)
    for start_number in range(0, 10_000, 100):
        numbers = [f"138{start_number + index:08d}" for index in range(100)]
        request = models.SendBatchSmsRequest(
            phone_number_json=json.dumps(numbers),
            sign_name_json=json.dumps(["阿里云"] * 100),
            template_code="SMS_1",
            template_param_json=json.dumps([{"code": f"{start_number + index:06d}"} for index in range(100)]),
        )
        assert client.send_batch_sms(request).body.code == "OK"
    browser.get(simulator.inbox)
    until(browser, lambda: len(texts(browser, "#list li")) == 10_000, 30)
    find(browser, "#list").send_keys(Keys.HOME)
    until(browser, lambda: "13800009999" in find(browser, "#detail").text)
    find(browser, "#search").send_keys("code=005432")
    until(browser, lambda: len(texts(browser, "#list li")) == 1)
    find(browser, "#search").clear()
    find(browser, "#search").send_keys(" ")
    until(browser, lambda: len(texts(browser, "#list li")) == 10_000, 30)
    shoot(browser, "many")
    find(browser, "#clear").click()
    until(browser, lambda: find(browser, "#empty").is_displayed(), 30)


def test_speaks_both_languages_and_says_when_the_simulator_is_gone(start, browser):
    simulator = start()
    browser.get(simulator.inbox)
    words = {"en": "Requests", "zh": "请求"}
    assert find(browser, "#tab-requests").text == words[browser.language]
    find(browser, "#language").click()
    other = "zh" if browser.language == "en" else "en"
    assert find(browser, "#tab-requests").text == words[other]
    browser.refresh()
    assert find(browser, "#tab-requests").text == words[other]
    find(browser, "#tab-messages").send_keys(Keys.ARROW_RIGHT)
    until(browser, lambda: find(browser, "#requests").is_displayed())
    simulator.stop()
    until(browser, lambda: find(browser, "#lost").is_displayed())
    browser.get_log("browser")


def test_loads_nothing_from_elsewhere(simulator):
    for part in ("", "inbox.js", "inbox.css"):
        with urllib.request.urlopen(simulator.inbox + part) as answer:
            text = answer.read().decode()
            assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "http://" not in text and "https://" not in text and "innerHTML" not in text
