internal import CLibuv

/// What happens when libuv tells that something has come.
extension UDPHandle {
    fileprivate final func readable() {
        switch unsafe consumer {
        case .layer(let call): call(self)
        case .single: if !hasAhead { deliverSingle() }
        case .batches: if !hasAhead { deliverBatch() }
        case .none: stopWatching()
        }
        deliverAhead()
    }

    private final func deliverSingle() {
        do throws(UVError) {
            let receiver = try loop.takeDatagramReceiver()
            defer { loop.leaveDatagramReceiver(receiver) }
            guard let count = try receive(receiver, upTo: DatagramReceiver.most) else { return }
            unsafe delivery = Delivery(receiver: receiver, count: count)
            defer { unsafe delivery = nil }
            while case .single(let call, let limit) = unsafe consumer, let index = unsafe delivery?.next() {
                receiver.lend(index, upTo: limit) { call(self, $0, $1) }
            }
        } catch { tell(error) }
    }

    /// Keeps what the closure has not had yet: the system has it no more.
    final func interruptDelivery() {
        guard let delivery = unsafe delivery else { return }
        unsafe self.delivery?.count = 0
        if delivery.index < delivery.count { keep(delivery.index..<delivery.count, of: delivery.receiver) }
    }

    private final func deliverBatch() {
        guard case .batches(let call) = unsafe consumer else { return }
        var batch = DatagramBatch()
        swap(&batch, &lentBatch)
        do throws(UVError) {
            _ = try takeAll(into: &batch, upTo: DatagramReceiver.most)
            if !batch.isEmpty { call(self, batch) }
            try throwKept()
        } catch { tell(error) }
        batch.removeAll()
        if isOpen { lentBatch = batch }
    }

    /// Delivers what was kept when receiving was stopped, if it goes on.
    private final func deliverAhead() {
        while hasAhead {
            switch unsafe consumer {
            case .single(let call, let limit): takeAhead(upTo: limit) { call(self, $0, $1) }
            case .batches: deliverBatch()
            case .layer, .none: return
            }
        }
    }

    private final func tell(_ error: UVError) {
        let call = unsafe onError
        call?(self, error)
    }

    final func deliverAheadSoon() {
        guard let timer = try? TimerHandle(on: loop) else { return }
        timer.isInternal = true
        try? timer.start(after: .zero) { [weak self] timer in
            timer.close()
            guard let self, isOpen else { return }
            deliverAhead()
        }
    }
}

func provideNothing(
    _ raw: UnsafeMutablePointer<uv_handle_t>?, _ suggested: Int, _ buffer: UnsafeMutablePointer<uv_buf_t>?
) {
    unsafe buffer.unsafelyUnwrapped.pointee.base = nil
    unsafe buffer.unsafelyUnwrapped.pointee.len = 0
}

func becameReadable(
    _ raw: UnsafeMutablePointer<uv_udp_t>?, _ count: Int, _ buffer: UnsafePointer<uv_buf_t>?,
    _ address: UnsafePointer<sockaddr>?, _ flags: UInt32
) {
    let data = unsafe raw.unsafelyUnwrapped.pointee.data.unsafelyUnwrapped
    unsafe Unmanaged<UDPHandle>.fromOpaque(data)._withUnsafeGuaranteedRef { handle in
        unsafe handle.isInCallback = true
        unsafe handle.isDrained = false
        handle.readable()
        handle.loop.callbackEnded()
        unsafe handle.isInCallback = false
        unsafe handle.isDrained = false
    }
}
