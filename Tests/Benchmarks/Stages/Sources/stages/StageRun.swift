// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import MessagePipe

/// Sends an input through all stages, answered at once.
///
/// Each stage is kept out of line: a profiler sees it by its name.
struct StageRun: ~Copyable {
    private static let chunkSize = 256 << 10
    private static let host = "dysmsapi.aliyuncs.com"
    private static let answer = Array(
        #"{"Code":"OK","Message":"OK","RequestId":"2184201F-BFB3-446B-B1F2-C746B7BF0657","BizId":"900619746936498440^0"}"#
            .utf8
    )

    private(set) var times = StageTimes()
    private var splitter = LineSplitter(maximumLineBytes: 1 << 20)
    private var parser = MessageParser(defaults: .init(), maximumLineBytes: 1 << 20)
    private var identifier: MessageIdentifier?
    private var engine: Engine
    private var signer = RequestSigner(
        scheme: .v3,
        credentials: Credentials(accessKeyID: "testid", accessKeySecret: Secret("testsecret")),
    )
    private var generator = SeededGenerator(seed: 1)
    private var call = Call(.sendBatchSms)
    private var decoder = AnswerDecoder()
    private var block = LineBlock()
    private var spare = Chunk()
    private var members: [JSONMember] = []
    private var records: [UInt8] = []
    private var output: [UInt8] = []
    private let now = Instant(nanoseconds: 0)

    init(batchSize: Int, keepsJournal: Bool) {
        var configuration = Engine.Configuration(runID: "0123456789abcdef")
        configuration.batchSize = batchSize
        var index = JournalIndex()
        let head = JournalHead(salt: [UInt8](repeating: 7, count: 16), accessKeyID: "testid", endpoint: Self.host)
        index.apply(JournalEntry(.head(head), time: 0, synced: 0))
        index.finishReading()
        identifier = keepsJournal ? MessageIdentifier(index) : nil
        engine = Engine(configuration, seed: 1, journal: keepsJournal ? Journal(index, origin: 0) : nil)
    }

    /// Takes the whole input through; messages of batches that do not fill are left.
    mutating func pass(_ input: [UInt8]) {
        let span = input.span
        var offset = 0
        while offset < input.count {
            let end = min(offset + Self.chunkSize, input.count)
            times.began()
            split(span.extracting(offset..<end))
            times.ended(.split, bytes: end - offset)
            offset = end
            times.messages += block.lines.count
            scan()
            times.ended(.scan, bytes: block.bytes.count)
            var chunk = parse()
            times.ended(.parse, bytes: block.bytes.count)
            block.removeAll()
            identify(&chunk)
            times.ended(.identify)
            batch(chunk)
            times.ended(.batch)
            repeat {
                sendAll()
            } while record()
            respond()
            times.ended(.respond, bytes: output.count)
        }
    }

    /// Sends what may leave now.
    private mutating func sendAll() {
        while let request = nextRequest() {
            times.ended(.batch)
            encode(request)
            times.ended(.encode, bytes: call.form.bytes.count)
            let signed = sign()
            times.ended(.sign, bytes: signed.body.count)
            answer(request, signed)
            times.ended(.answer)
        }
        times.ended(.batch)
    }

    /// Brings the journal's next records, as text, to a storage that takes no time.
    ///
    /// - Returns: Whether there were any.
    private mutating func record() -> Bool {
        guard let group = engine.takeJournal(at: now) else { return false }
        times.ended(.batch)
        write(group)
        times.ended(.record, bytes: records.count)
        sync()
        times.ended(.answer)
        return true
    }

    /// The storage of chunks is used again, as the reader does.
    @inline(never)
    private mutating func split(_ bytes: Span<UInt8>) {
        spare = engine.takeSpareChunk() ?? Chunk()
        swap(&block.bytes, &spare.bytes)
        block = splitter.append(bytes, reusing: block)
    }

    /// The scan alone, which is a part of parsing.
    @inline(never)
    private mutating func scan() {
        let block = block
        for line in block.lines {
            let range = Int(line.bytes.start)..<Int(line.bytes.start + line.bytes.count)
            _ = try? JSONScanner.scanObject(block.bytes.span, in: range, into: &members)
        }
    }

    @inline(never)
    private mutating func parse() -> Chunk {
        parser.parse(block, lines: 0..<block.lines.count, reusing: spare)
    }

    @inline(never)
    private mutating func identify(_ chunk: inout Chunk) {
        identifier?.identify(&chunk)
    }

    @inline(never)
    private mutating func write(_ group: JournalGroup) {
        records.removeAll(keepingCapacity: true)
        group.append(to: &records, synced: 0)
    }

    /// Answers messages whose results are on record, and lets requests leave.
    @inline(never)
    private mutating func sync() {
        engine.journalSynced(at: now)
    }

    @inline(never)
    private mutating func batch(_ chunk: consuming Chunk) {
        engine.chunkArrived(chunk, at: now)
    }

    @inline(never)
    private mutating func nextRequest() -> Request? {
        engine.nextRequest(at: now, sendDate: 20_260_101)
    }

    @inline(never)
    private mutating func encode(_ request: Request) {
        call.assignSendBatchSms(request.id, of: engine)
    }

    @inline(never)
    private mutating func sign() -> SignedRequest {
        signer.sign(call, host: Self.host, at: 1_700_000_000, nonce: Nonce(using: &generator))
    }

    @inline(never)
    private mutating func answer(_ request: Request, _ signed: SignedRequest) {
        let answer = try? decoder.decode(
            status: 200,
            retryAfterMilliseconds: nil,
            body: Self.answer.span,
            evidence: signed.evidence,
        )
        if let answer { engine.answered(request.id, answer, at: now) }
    }

    @inline(never)
    private mutating func respond() {
        output.removeAll(keepingCapacity: true)
        engine.takeOutput(into: &output, upTo: .max)
    }
}
