#if DEBUG
import SystemPackage

@testable import AsyncUVTLS
@testable import UV

extension FuzzTarget {
    /// A side of TLS whose peer sends what somebody made up, or its own bytes with some of them changed.
    ///
    /// The first byte chooses the side, the version and when it happens, the second where the bytes are cut. The others are sent, or
    /// say by threes which bytes are changed and how.
    static func tls(_ bytes: [UInt8]) throws(Finding) {
        guard bytes.count >= 2 else { return }
        guard let attack = TLSAttack(bytes[0], Array(bytes[2...])) else {
            throw Finding(description: "no certificates")
        }
        let whole = try attack.outcome(cutTo: .max)
        let cut = try attack.outcome(cutTo: Int(bytes[1]) + 1)
        // A handshake is another one each time.
        if attack.moment == .handshake { return }
        if whole != cut { throw Finding(description: "whole: \(whole)\nin pieces of \(Int(bytes[1]) + 1): \(cut)") }
    }
}

private struct TLSAttack {
    enum Moment: UInt8 {
        case first, handshake, afterwards, records
    }

    let moment: Moment
    private let attacksServer: Bool
    private let server: TLSContext
    private let client: TLSContext
    private let bytes: [UInt8]

    init?(_ choice: UInt8, _ bytes: [UInt8]) {
        guard let contexts = Self.contexts, let moment = Moment(rawValue: choice >> 1 & 3) else { return nil }
        self.moment = moment
        self.bytes = bytes
        attacksServer = choice & 1 == 0
        server = choice & 8 == 0 ? contexts.newest : contexts.older
        client = contexts.client
    }

    /// What becomes of the side, in words.
    func outcome(cutTo size: Int) throws(FuzzTarget.Finding) -> String {
        let sides = try TLSSides(server, client)
        let victim = attacksServer ? sides.server : sides.client
        let peer = attacksServer ? sides.client : sides.server
        switch moment {
        case .first: victim.feed(bytes, size)
        case .handshake:
            for _ in 0..<6 {
                victim.drain()
                peer.drain()
                victim.feed(changed(peer.output()), size)
                peer.feed(victim.output(), .max)
            }
        case .afterwards:
            try sides.shakeHands()
            victim.feed(bytes, size)
        case .records:
            try sides.shakeHands()
            for text in ["hello", String(repeating: "more ", count: 60)] { try peer.seal(text) }
            peer.filter.sealEnd()
            victim.feed(changed(peer.output()), size)
        }
        return try victim.outcome()
    }

    private func changed(_ honest: [UInt8]) -> [UInt8] {
        var result = honest
        for start in stride(from: 0, to: bytes.count - 2, by: 3) where !result.isEmpty {
            let place = Int(bytes[start]) << 8 | Int(bytes[start + 1])
            result[place % result.count] ^= bytes[start + 2]
        }
        return result
    }

    /// The tests' own.
    private static let contexts: (newest: TLSContext, older: TLSContext, client: TLSContext)? = {
        func pem(_ name: String) throws -> String {
            let folder = FilePath("\(#filePath)").removingLastComponent().pushing("../../AsyncUVTLSTests/Certificates")
            let path = folder.appending("\(name).pem")
            return String(decoding: try FileOperation<[UInt8]>.readFile(path).run(), as: UTF8.self)
        }
        return try? {
            let identity = try TLSIdentity(certificateChainPEM: pem("server"), privateKeyPEM: pem("server.key"))
            return (
                try .server(identity: identity), try .server(identity: identity, versions: .v1_2 ... .v1_2),
                try .client(trust: .pem(pem("authority")))
            )
        }()
    }()
}

/// Both sides of a connection, without a socket.
private struct TLSSides {
    let server: TLSSide
    let client: TLSSide

    init(_ server: TLSContext, _ client: TLSContext) throws(FuzzTarget.Finding) {
        do {
            self.server = TLSSide(
                try TLSFilter(server.settings, serverName: nil, sessionKey: nil, peer: nil))
            self.client = TLSSide(
                try TLSFilter(client.settings, serverName: "localhost", sessionKey: nil, peer: nil))
        } catch { throw FuzzTarget.Finding(description: "\(error)") }
    }

    func shakeHands() throws(FuzzTarget.Finding) {
        for _ in 0..<6 {
            client.drain()
            server.feed(client.output(), .max)
            client.feed(server.output(), .max)
        }
        guard client.isReady, server.isReady else {
            throw FuzzTarget.Finding(description: "an honest handshake: \(client.end ?? ""), \(server.end ?? "")")
        }
    }
}

private final class TLSSide {
    let filter: TLSFilter
    private var received: [UInt8] = []
    private(set) var isReady = false
    private(set) var end: String?

    init(_ filter: TLSFilter) { self.filter = filter }

    func feed(_ bytes: [UInt8], _ size: Int) {
        var start = 0
        while start < bytes.count, end == nil {
            let piece = Array(bytes[start..<start + min(size, bytes.count - start)])
            start += piece.count
            filter.receive(piece.span)
            drain()
            filter.keepRest()
            // Lent until then.
            withExtendedLifetime(piece) {}
        }
    }

    func drain() {
        while end == nil {
            do throws(UVError) {
                switch try filter.take(upTo: 65_536) {
                case .bytes(let bytes):
                    isReady = true
                    received += bytes
                case .ended: end = "the end"
                case .nothing: return
                }
            } catch { end = "\(filter.presented(error))" }
        }
    }

    func output() -> [UInt8] {
        var all: [UInt8] = []
        try? filter.send { bytes in
            for index in 0..<bytes.count { all.append(bytes[index]) }
            return bytes.count
        }
        return all
    }

    func seal(_ text: String) throws(FuzzTarget.Finding) {
        let bytes = Array(text.utf8)
        do { try filter.seal(bytes.span) } catch { throw FuzzTarget.Finding(description: "seal: \(error)") }
    }

    func outcome() throws(FuzzTarget.Finding) -> String {
        let before = end
        filter.receiveEnd(nil)
        drain()
        guard let end else { throw FuzzTarget.Finding(description: "a stream that has finished has no end") }
        if let before, before != end { throw FuzzTarget.Finding(description: "\(before), and then \(end)") }
        // Nothing that a peer of a few kilobytes sends makes a side say more than a handshake does.
        if filter.unsentCount > 100_000 {
            throw FuzzTarget.Finding(description: "\(filter.unsentCount) bytes to be sent")
        }
        var again: String?
        do throws(UVError) { if case .bytes = try filter.take(upTo: 10) { again = "bytes" } } catch {
            again = "\(filter.presented(error))"
        }
        if let again, end != again { throw FuzzTarget.Finding(description: "\(end), and then \(again)") }
        return "\(isReady) \(received) \(end)"
    }
}
#endif
