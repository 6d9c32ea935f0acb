import AsyncUV
import Synchronization

// The functions of service.h.

private let service = Mutex<Service?>(nil)

@_cdecl("service_start")
public func start(_ raw: UnsafeMutableRawPointer, _ listening: @escaping @convention(c) (CInt) -> Void) -> CInt {
    do {
        let new = Service(on: try EventLoop(adopting: raw, label: "c-host"))
        service.withLock { $0 = new }
        new.loop.spawn { error in
            print("c-host: \(error)")
            listening(-1)
        } _: {
            try await new.serve { listening($0) }
        }
        return 0
    } catch {
        print("c-host: \(error)")
        return -1
    }
}

@_cdecl("service_stop")
public func stop() {
    guard let loop = service.withLock({ $0?.loop }) else { return }
    loop.spawn { await loop.shutdown(grace: .seconds(1)) }
}

@_cdecl("service_lines")
public func lines() -> CInt {
    CInt(service.withLock { $0?.lines.load(ordering: .relaxed) ?? 0 })
}
