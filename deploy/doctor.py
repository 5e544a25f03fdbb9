"""`make doctor`: what this machine has, and what is missing for what. Runs on a bare Python."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAMS = (
    # program, needed for, Debian package, Homebrew package
    ("make", "make run, make test", "make", "make"),
    ("redis-server", "tests against a real Redis, and running a cluster", "redis-server", "redis"),
    ("chromium", "the test of the viewer page", "chromium", "chromium"),
    ("node", "the test of the viewer's script", "nodejs", "node"),
    ("go", "the test of the Go client", "golang", "go"),
    ("javac", "the test of the Java client", "openjdk-17-jdk-headless", "openjdk"),
    ("haproxy", "the test of the balancer", "haproxy", "haproxy"),
    ("promtool", "the tests of the alert rules", "prometheus", "prometheus"),
    ("systemd-analyze", "the tests of the systemd units", "systemd", ""),
    ("docker", "docker compose up", "docker.io", "docker"),
    ("uv", "a faster installation; nothing needs it", "", "uv"),
)
ROOT = Path(__file__).parents[1]


def main() -> int:
    """Print one line per thing; 1 when something that everybody needs is missing."""
    newest_enough = sys.version_info >= (3, 11)
    say(newest_enough, f"Python {sys.version.split()[0]}", "" if newest_enough else "3.11 or newer is needed")
    for program, purpose, debian, brew in PROGRAMS:
        found = shutil.which(program)
        hint = f"for {purpose}; " + " or ".join(
            part for part in (f"apt install {debian}" if debian else "", f"brew install {brew}") if part
        )
        say(bool(found), program, "" if found else hint)
    python = ROOT / ".venv" / "bin" / "python"
    say(python.exists(), "environment (.venv)", "" if python.exists() else "make install makes it")
    if python.exists():
        check = subprocess.run(  # noqa: S603 - our own interpreter and file
            [python, "-c", REDIS_CHECK], cwd=ROOT, capture_output=True, text=True, timeout=20, check=False
        )
        for line in check.stdout.splitlines():
            good, _, rest = line.partition(" ")
            say(good == "ok", "Redis", rest)
    return 0 if newest_enough else 1


REDIS_CHECK = """
import asyncio, os, sys
sys.path.insert(0, os.getcwd())
from dotenv import dotenv_values
from shared.errors import BrokerUnavailable, ConfigError
from shared.redis_client import open_redis

async def look(url):
    redis = open_redis(url, name="doctor")
    try:
        async with redis.turn() as commands:
            about = await commands.info()
    finally:
        await redis.aclose()
    version, policy = about["redis_version"], about["maxmemory_policy"]
    print(f"{'ok' if int(version.split('.')[0]) >= 7 else 'missing'} version {version} (7 or newer is needed)")
    if policy != "noeviction":
        print(f"missing maxmemory-policy is {policy}: rooms may lose their log; set it to noeviction")
    # Told by a master only while a number of replicas is asked for.
    if url.partition("://")[0].endswith(("+sentinel", "+cluster")) and "min_slaves_good_slaves" not in about:
        print("missing min-replicas-to-write is 0: a failover may lose more than it needs to; set it to 1")

url = os.environ.get("REDIS_URL") or dotenv_values(".env").get("REDIS_URL")
if not url or url.startswith("memory://"):
    print("ok REDIS_URL is not set: python app.py uses an in-process one")
else:
    try:
        asyncio.run(look(url))
    except (BrokerUnavailable, ConfigError) as error:
        print(f"missing {error}")
"""


def say(good: bool, what: str, hint: str) -> None:
    """One line for people."""
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    mark = "ok     " if good else "missing"
    if colour:
        mark = f"\033[{32 if good else 33}m{mark}\033[0m"
    print(f"{mark} {what}{': ' + hint if hint else ''}")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
