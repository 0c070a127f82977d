import subprocess
import sys

PROBE = """
import ctypes, resource
from appliance.programs.cardd.hardening import close_memory
close_memory()
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE))
"""  # 3 is PR_GET_DUMPABLE


def test_no_core_and_no_debugger() -> None:
    ran = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=20)
    assert ran.stdout.strip() == "0 (0, 0)"
