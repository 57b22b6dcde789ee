"""What C libraries print is caught, and only that."""

import os
import subprocess
import sys
import threading

from yolopv2.media.quiet import codec_messages


def test_codec_lines_are_caught_and_others_printed_afterwards(capfd):
    with codec_messages() as messages:
        os.write(2, b"libpng warning: iCCP: known incorrect sRGB profile\n")
        os.write(2, b"a line of another thread\n")
        os.write(2, b"Corrupt JPEG data: premature end of data segment\n")
        os.write(2, b"[ WARN:0@1.2] global decoder.cpp:12 something\n\n")
        assert capfd.readouterr().err == ""
    assert [message.split(":")[0] for message in messages] == ["libpng warning", "Corrupt JPEG data", "[ WARN"]
    assert capfd.readouterr().err == "a line of another thread\n"


def test_the_terminal_comes_back_after_an_error(capfd):
    try:
        with codec_messages():
            raise ValueError
    except ValueError:
        os.write(2, b"back\n")
    assert capfd.readouterr().err == "back\n"


def test_threads_take_turns(capfd):
    caught: dict[int, list[str]] = {}

    def decode(number: int) -> None:
        for _ in range(20):
            with codec_messages() as messages:
                os.write(2, b"libpng error: number %d\n" % number)
            caught.setdefault(number, []).extend(messages)

    threads = [threading.Thread(target=decode, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert caught == {number: [f"libpng error: number {number}"] * 20 for number in range(4)}
    assert capfd.readouterr().err == ""


def test_a_process_without_standard_error_can_decode():
    code = (
        "import os; os.close(2)\n"
        "from yolopv2.media.images import decode_image\n"
        "print(decode_image(b'P5 8 8 255 ' + bytes(64)).image.shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "(8, 8, 3)\n"


def test_a_forked_process_can_decode():
    """A lock held by another thread at the moment of the fork would block the child for ever."""
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with codec_messages():
            entered.set()
            leave.wait(0.2)

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait()
    child = os.fork()
    if child == 0:
        with codec_messages():
            os._exit(0)
    leave.set()
    thread.join()
    assert os.waitpid(child, 0)[1] == 0
