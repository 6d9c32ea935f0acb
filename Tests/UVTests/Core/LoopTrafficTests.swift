import TestSupport
import Testing
import UV

@Suite struct LoopTrafficTests {
    @Test func trafficAgreesWithWhatWasDone() throws {
        try withLoop { loop in
            #expect(loop.traffic.bytesSent == 0 && loop.traffic.connections == 0)
            let listener = try TCPHandle(on: loop)
            try listener.bind(to: .loopback(port: 0))
            try listener.listen { listener, connection in
                guard case .success(let far) = connection else { return #expect(Bool(false), "\(connection)") }
                listener.close()
                try? far.startReading(
                    onBytes: { far, bytes in _ = try? far.write(bytes) }, onEnd: { far, _ in far.close() })
            }
            let near = try TCPHandle(on: loop)
            try near.connect(to: listener.localAddress) { near, error in
                #expect(error == nil && loop.traffic.connected == 1)
                #expect((try? near.write([1, 2, 3, 4, 5])) == .sent)
                try? near.startReading(
                    onBytes: { near, bytes in
                        let traffic = loop.traffic
                        #expect(bytes.count == 5 && traffic.bytesSent == 10 && traffic.bytesReceived == 10)
                        #expect(traffic.connections == 2 && traffic.accepted == 1 && traffic.acceptFailures == 0)
                        near.close()
                        near.close()
                        #expect(loop.traffic.connections == 1)
                    }, onEnd: { _, _ in })
            }
        }
    }

    @Test func pairsCountAndRefusedConnectsDoNot() throws {
        try withLoop { loop in
            let pipes = try PipeHandle.pair(on: loop)
            let sockets = try TCPHandle.pair(on: loop)
            #expect(loop.traffic.connections == 4 && loop.traffic.connected == 0)
            for handle in [pipes.0, pipes.1] { handle.close() }
            for handle in [sockets.0, sockets.1] { handle.close() }
            #expect(loop.traffic.connections == 0)
            let refused = try TCPHandle(on: loop)
            try refused.connect(to: .loopback(port: 1)) { refused, error in
                #expect(error != nil && loop.traffic.connected == 0 && loop.traffic.connections == 0)
                refused.close()
            }
        }
    }

    @Test func aClosedLoopStillTells() throws {
        try synchronously {
            let loop = try Loop()
            let (near, far) = try TCPHandle.pair(on: loop)
            try near.write([1])
            near.close()
            far.close()
            try loop.run()
            try loop.close()
            #expect(loop.traffic.bytesSent == 1 && loop.traffic.connections == 0)
        }
    }
}
