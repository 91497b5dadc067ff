"""
The producer of files.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from twisted.trial.unittest import SynchronousTestCase

from txwebqq.net.fileproducer import CHUNK_SIZE, FileProducer, chunksOf

DATA = bytes(CHUNK_SIZE) + b"end"


class FileProducerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.file = BytesIO(DATA)
        self.producer = FileProducer(chunksOf(self.file), self.file.close)
        self.written: list[bytes] = []

    def test_pauses(self) -> None:
        """
        A paused producer writes nothing until it is resumed, and closes the
        file at its end.
        """

        def write(chunk: bytes) -> None:
            self.written.append(chunk)
            self.producer.pauseProducing()

        done = self.producer.writeTo(write)
        self.assertEqual(len(self.written), 1)
        self.producer.resumeProducing()
        self.assertEqual(b"".join(self.written), DATA)
        self.assertNoResult(done)
        self.producer.resumeProducing()
        self.assertIsNone(self.successResultOf(done))
        self.assertTrue(self.file.closed)

    def test_resumedWithinWrite(self) -> None:
        """
        A consumer may resume the producer from within its write.
        """

        def write(chunk: bytes) -> None:
            self.written.append(chunk)
            self.producer.pauseProducing()
            self.producer.resumeProducing()

        self.successResultOf(self.producer.writeTo(write))
        self.assertEqual(b"".join(self.written), DATA)

    def test_unreadable(self) -> None:
        """
        A read that fails closes the file and fails the producer.
        """

        def chunks() -> Iterator[bytes]:
            yield b"a"
            raise OSError("the disk is gone")

        producer = FileProducer(chunks(), self.file.close)
        self.failureResultOf(producer.writeTo(self.written.append), OSError)
        self.assertEqual(self.written, [b"a"])
        self.assertTrue(self.file.closed)

    def test_stopped(self) -> None:
        """
        A producer that is stopped before it begins writes nothing.
        """
        self.producer.stopProducing()
        self.assertNoResult(self.producer.writeTo(self.written.append))
        self.assertEqual(self.written, [])
        self.assertTrue(self.file.closed)
