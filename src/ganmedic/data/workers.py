"""Measures blocks on all cores.

Each worker is a Python of its own that was started afresh (no fork, so that TensorFlow's threads do no harm) and that does not
run the caller's script again, so that a script needs no `if __name__ == "__main__"`. If a decoder takes its process down,
only the picture is lost that did it.
"""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from typing import IO, Any

from ganmedic.data.batches import Broken, EncodedBatch
from ganmedic.data.measuring import BlockResult, measure_block
from ganmedic.data.sources.source import Block

_SIZE = struct.Struct("<Q")
#: Blocks that wait, for each worker: enough that none is idle, few enough that memory stays bounded.
_AHEAD = 3


class WorkerDiedError(RuntimeError):
    """A worker ended in the middle of a block."""


def measure_all(
    blocks: Iterator[Block], jobs: int, *, seed: int, cutoff: Callable[[], int]
) -> Iterator[tuple[Block, BlockResult]]:
    """Yield each block with what was measured on it, in the order of the blocks.

    Args:
        blocks: what to measure; read as it is needed.
        jobs: number of processes; 1 to work in this one.
        seed: of the reservoir.
        cutoff: asked before each block: lots above it need not be drawn.
    """
    if jobs <= 1:
        for number, block in enumerate(blocks):
            yield block, measure_block(block, number, seed=seed, cutoff=cutoff())
        return
    pool = _Pool(jobs)
    waiting: list[tuple[Block, int, Queue[BlockResult | BaseException]]] = []
    try:
        for number, block in enumerate(blocks):
            waiting.append((block, number, pool.submit(block, number, seed, cutoff())))
            if len(waiting) >= jobs * _AHEAD:
                yield _take(pool, waiting.pop(0), seed, cutoff())
        while waiting:
            yield _take(pool, waiting.pop(0), seed, cutoff())
    finally:
        pool.close()


def _take(
    pool: _Pool, task: tuple[Block, int, Queue[BlockResult | BaseException]], seed: int, cutoff: int
) -> tuple[Block, BlockResult]:
    block, number, answer = task
    result = answer.get()
    if isinstance(result, WorkerDiedError):
        return block, measure_block(_without_killers(pool, block, seed), number, seed=seed, cutoff=cutoff)
    if isinstance(result, BaseException):
        raise result
    return block, result


def _without_killers(pool: _Pool, block: Block, seed: int) -> Block:
    """The block with each picture emptied that ends the process that decodes it."""
    batches: list[Any] = []
    for batch in block.read():
        if isinstance(batch, EncodedBatch):
            for place, payload in enumerate(batch.payloads):
                alone = _Given([EncodedBatch([payload], batch.labels[place : place + 1], batch.folder)])
                if isinstance(pool.submit(alone, 0, seed, 0).get(), WorkerDiedError):
                    batch.payloads[place] = b""
                    batches.append(
                        Broken(str(payload)[-200:] if isinstance(payload, str) else "a picture", "ended its decoder")
                    )
        batches.append(batch)
    return _Given(batches)


class _Given(Block):
    def __init__(self, batches: list[Any]) -> None:
        self.batches = batches

    def read(self) -> Iterator[Any]:
        yield from self.batches


class _Pool:
    """Threads that each lead one worker by the hand."""

    def __init__(self, jobs: int) -> None:
        self._tasks: Queue[tuple[Any, Queue[Any]] | None] = Queue()
        self._threads = [threading.Thread(target=self._lead, daemon=True) for _ in range(jobs)]
        self._workers: set[subprocess.Popen[bytes]] = set()
        for thread in self._threads:
            thread.start()

    def submit(self, block: Block, number: int, seed: int, cutoff: int) -> Queue[BlockResult | BaseException]:
        answer: Queue[BlockResult | BaseException] = Queue()
        self._tasks.put(((block, number, seed, cutoff), answer))
        return answer

    def close(self) -> None:
        while not self._tasks.empty():
            self._tasks.get()
        for _ in self._threads:
            self._tasks.put(None)
        for worker in list(self._workers):
            worker.kill()
        for thread in self._threads:
            thread.join(timeout=5)

    def _lead(self) -> None:
        worker: subprocess.Popen[bytes] | None = None
        while (task := self._tasks.get()) is not None:
            request, answer = task
            try:
                if worker is None:
                    worker = _start()
                    self._workers.add(worker)
                _send(worker.stdin, request)
                answer.put(_receive(worker.stdout))
            except (OSError, EOFError):
                answer.put(WorkerDiedError("a worker ended in the middle of a block"))
                if worker is not None:
                    _stop(worker)
                    self._workers.discard(worker)
                    worker = None
            except BaseException as error:
                answer.put(error)
        if worker is not None:
            _stop(worker)


def _start() -> subprocess.Popen[bytes]:
    import ganmedic

    source = str(Path(ganmedic.__file__).parent.parent)
    # One thread each: there are as many workers as cores.
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    path = os.pathsep.join(filter(None, (source, os.environ.get("PYTHONPATH", ""))))
    return subprocess.Popen(
        [sys.executable, "-m", "ganmedic.data.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **single, "PYTHONPATH": path},
    )


def _stop(worker: subprocess.Popen[bytes]) -> None:
    worker.kill()
    for stream in (worker.stdin, worker.stdout):
        if stream is not None:
            try:
                stream.close()
            except OSError:
                continue
    worker.wait()


def _send(stream: IO[bytes] | None, message: Any) -> None:
    assert stream is not None
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    stream.write(_SIZE.pack(len(data)))
    stream.write(data)
    stream.flush()


def _receive(stream: IO[bytes] | None) -> Any:
    """The next message. It comes from our own process, over a pipe that nobody else has."""
    assert stream is not None
    head = stream.read(_SIZE.size)
    if len(head) < _SIZE.size:
        raise EOFError
    size = _SIZE.unpack(head)[0]
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return pickle.loads(data)


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests until there are no more: what a worker does."""
    while True:
        try:
            block, number, seed, cutoff = _receive(requests)
        except EOFError:
            return
        try:
            answer: Any = measure_block(block, number, seed=seed, cutoff=cutoff)
        except Exception as error:
            answer = error
        _send(answers, answer)
