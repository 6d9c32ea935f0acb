import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// Broadcast, hops and groups of `UDPHandle`.
@Suite(.ownThread) struct UDPOptionTests {
    @Test func broadcastNeedsTheOption() throws {
        try withLoop { loop in
            let handle = try UDPHandle(on: loop)
            try handle.bind(to: .anyIPv4(port: 0))
            let everybody = try SocketAddress(host: "127.255.255.255", port: handle.localAddress.port)
            expectError(.permissionDenied) { try handle.send([1], to: everybody) }
            let other = try UDPHandle(on: loop, family: .ipv4)
            expectError(.permissionDenied) { try other.connect(to: everybody) }
            try handle.setBroadcast(enabled: true)
            try handle.send([1], to: everybody)
            #expect(try handle.tryReceive()?.bytes == [1])
            try handle.setBroadcast(enabled: false)
            expectError(.permissionDenied) { try handle.send([1], to: everybody) }
            handle.close()
            other.close()
        }
    }

    @Test("Guard: hops of a socket of IPv6 are set, also before it is bound", arguments: [false, true])
    func hops(bound: Bool) throws {
        try withLoop { loop in
            for family: SocketAddress.Family in [.ipv4, .ipv6] {
                let handle = try UDPHandle(on: loop, family: family)
                if bound { try handle.bind(to: family == .ipv4 ? .loopback(port: 0) : .loopbackIPv6(port: 0)) }
                try handle.setTTL(17)
                try handle.setMulticastTTL(18)
                try handle.setMulticastLoop(enabled: false)
                let descriptor = try handle.fileDescriptor
                if family == .ipv4 {
                    #expect(descriptor.option(CInt(IPPROTO_IP), IP_TTL) == 17)
                    #expect(descriptor.option(CInt(IPPROTO_IP), IP_MULTICAST_TTL) == 18)
                    #expect(descriptor.option(CInt(IPPROTO_IP), IP_MULTICAST_LOOP) == 0)
                } else {
                    #expect(descriptor.option(CInt(IPPROTO_IPV6), IPV6_UNICAST_HOPS) == 17)
                    #expect(descriptor.option(CInt(IPPROTO_IPV6), IPV6_MULTICAST_HOPS) == 18)
                    #expect(descriptor.option(CInt(IPPROTO_IPV6), IPV6_MULTICAST_LOOP) == 0)
                }
                handle.close()
            }
        }
    }

    @Test("B2: hops and sizes out of range") func outOfRange() throws {
        try withLoop { loop in
            let handle = try UDPHandle(on: loop, family: .ipv4)
            for hops in [-1, 0, 256, Int.max, Int.min] { expectError(.invalidArgument) { try handle.setTTL(hops) } }
            for hops in [-1, 256, Int.max] { expectError(.invalidArgument) { try handle.setMulticastTTL(hops) } }
            try handle.setMulticastTTL(0)
            for size in [0, -1, Int.max] {
                expectError(.invalidArgument) { try handle.setOptions(UDPOptions(receiveBufferSize: size)) }
            }
            try handle.setOptions(
                UDPOptions(
                    broadcast: true, reportsErrors: false, ttl: 2, multicastTTL: 3, multicastLoop: false,
                    sendBufferSize: 30_000, receiveBufferSize: 20_000))
            #expect(try handle.sendBufferSize >= 30_000 && handle.receiveBufferSize >= 20_000)
            #expect(try handle.fileDescriptor.option(CInt(IPPROTO_IP), IP_TTL) == 2)
            handle.close()
        }
    }

    @Test(arguments: ["239.77.1.1", "ff02::77:1"]) func groups(_ host: String) throws {
        try withLoop { loop in
            let group = try SocketAddress(host: host, port: 0)
            let interface = MulticastInterface.named("lo")
            let member = try UDPHandle(on: loop)
            try member.bind(to: group.family == .ipv4 ? .anyIPv4(port: 0) : .anyIPv6(port: 0), reuseAddress: true)
            try member.join(group, on: interface)
            expectError(.addressInUse) { try member.join(group, on: interface) }
            let sender = try UDPHandle(on: loop, family: group.family)
            try sender.setMulticastInterface(interface)
            var address = group
            address.port = try member.localAddress.port
            // The loopback interface of many systems has no route for groups of IPv6.
            let hasRoute: Bool
            do throws(UVError) { hasRoute = try sender.send([1], to: address) == .sent } catch {
                guard error.code == .networkUnreachable, group.family == .ipv6 else { throw error }
                hasRoute = false
            }
            if hasRoute {
                #expect(try member.tryReceive()?.bytes == [1])
                // Joined datagrams come apart again before each member.
                var batch = DatagramBatch()
                for number: UInt8 in 0..<5 { batch.append([number], to: address) }
                #expect(try sender.trySend(batch) == 5)
                var received = DatagramBatch()
                #expect(try member.tryReceive(into: &received) == 5 && received.bytes(at: 4) == [4])
            }
            try member.leave(group, on: interface)
            expectError(.addressNotAvailable) { try member.leave(group, on: interface) }
            if hasRoute {
                try sender.send([2], to: address)
                #expect(try member.tryReceive() == nil)
            }
            try sender.setMulticastInterface(nil)
            member.close()
            sender.close()
        }
    }

    @Test func groupsOfOneSender() throws {
        try withLoop { loop in
            let group = try SocketAddress(host: "232.77.1.1", port: 0)
            let interface = MulticastInterface.address(.loopback(port: 0))
            let member = try UDPHandle(on: loop)
            try member.bind(to: .anyIPv4(port: 0))
            try member.join(group, source: .loopback(port: 0), on: interface)
            var address = group
            address.port = try member.localAddress.port
            for host in ["127.0.0.2", "127.0.0.1"] {
                let sender = try UDPHandle(on: loop)
                try sender.bind(to: SocketAddress(host: host, port: 0))
                try sender.setMulticastInterface(interface)
                try sender.send(host, to: address)
                sender.close()
            }
            #expect(try member.tryReceive().map { String(decoding: $0.bytes, as: UTF8.self) } == "127.0.0.1")
            #expect(try member.tryReceive() == nil)
            try member.leave(group, source: .loopback(port: 0), on: interface)
            expectError(.invalidArgument) { try member.join(group, source: .loopbackIPv6(port: 0)) }
            member.close()
        }
    }

    @Test("Guard: what is no group, and interfaces that are not there, are errors") func badGroups() throws {
        try withLoop { loop in
            let handle = try UDPHandle(on: loop, family: .ipv4)
            let ipv6 = try UDPHandle(on: loop, family: .ipv6)
            let group = try SocketAddress(host: "239.77.1.2", port: 0)
            let group6 = try SocketAddress(host: "ff02::77:2", port: 0)
            expectError(.invalidArgument) { try handle.join(.loopback(port: 0)) }
            expectError(.invalidArgument) { try ipv6.join(.loopbackIPv6(port: 0), on: .named("lo")) }
            for name in ["nothing0", "", "lo\0", String(repeating: "x", count: 300)] {
                expectError(.operationNotSupportedByDevice) { try handle.join(group, on: .named(name)) }
                expectError(.operationNotSupportedByDevice) { try ipv6.join(group6, on: .named(name)) }
                expectError(.operationNotSupportedByDevice) { try handle.setMulticastInterface(.named(name)) }
            }
            expectError(.invalidArgument) { try handle.join(group, on: .address(.loopbackIPv6(port: 0))) }
            expectError(.invalidArgument, "no zone") { try ipv6.join(group6, on: .address(.loopbackIPv6(port: 0))) }
            try ipv6.join(group6, on: .address(SocketAddress(host: "::1%lo", port: 0)))
            try ipv6.leave(group6, on: .named("lo"))
            handle.close()
            ipv6.close()
        }
    }
}
