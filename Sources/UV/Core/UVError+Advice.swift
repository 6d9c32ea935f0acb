extension UVError {
    /// What to do about the error, in words for whoever reads the log at night; `nil` for codes that everybody
    /// handles in their own way.
    ///
    /// `String(reflecting: error)` has it after the description, and so has the line of a program whose `main` throws.
    public var advice: String? {
        switch code {
        case .addressInUse:
            "another socket has that address: `ss -lntup` names its program, and port 0 takes one that is free"
        case .addressNotAvailable:
            "no interface of this machine has that address: bind 0.0.0.0 or ::, or one of NetworkInterface.addresses"
        case .permissionDenied: permissionAdvice
        case .notPermitted: permittedAdvice
        case .connectionRefused: "nobody listens there: is the server running, and are address and port its own?"
        case .hostIsDown, .noRouteToHost, .networkUnreachable, .networkDown:
            "no way leads there: check the address, the network and the firewall"
        case .timedOut:
            operation.hasPrefix("connect")
                ? "nobody answers: a firewall may drop what is sent, or the machine is off" : nil
        case .resolverUnknownName, .resolverNoAddress:
            "no name server knows the name: check its spelling, /etc/hosts and /etc/resolv.conf"
        case .resolverTemporaryFailure: "no name server answers: check the network and /etc/resolv.conf, and try again"
        case .tooManyOpenFiles:
            "the process has all the descriptors that it may: close what is not needed any more, or raise `ulimit -n`"
        case .tooManyOpenFilesInSystem: "the machine has no descriptors left: see /proc/sys/fs/file-nr"
        case .badFileDescriptor: closedAdvice
        case .canceled:
            subject?.contains("shut down") == true ? "the loop has ended: await what uses it before it ends" : nil
        case .alreadyInProcess: readAdvice
        case .resourceBusy: busyAdvice
        case .brokenPipe, .connectionReset, .connectionAbort:
            "the other end has gone, as happens every day: end this connection, and connect again if you are the client"
        case .socketNotConnected: "connect first, and wait until that has ended"
        case .noSuchFileOrDirectory where operation == "spawn" && subject?.contains("/") == false:
            "no directory of PATH has such a program, nor is it a directory here: install it, or give its path"
        case .noSuchFileOrDirectory:
            subject?.hasPrefix("/") == false
                ? "it is not there, seen from the working directory: check the path, or use an absolute one"
                : "it is not there: check the path"
        case .isDirectory: "it is a directory: name a file in it, or list its entries"
        case .notDirectory: "a part of the path that should be a directory is a file"
        case .fileExists: "it is there already: remove it first, or choose the option that replaces it"
        case .directoryNotEmpty: "remove what is in it first; FileSystem.remove does both"
        case .noSpace: "the disk is full: `df -h` and `df -i` tell"
        case .readOnlyFileSystem: "the volume is mounted read-only"
        case .fileNameTooLong: "a name has at most 255 bytes, the path of a local socket 107"
        case .messageTooLong: "a datagram has at most 65,507 bytes; more goes in several, or through a stream"
        case .invalidArgument: invalidAdvice
        default: nil
        }
    }

    private var permissionAdvice: String {
        operation == "bind" || operation == "listen"
            ? "ports below 1024 need root or `setcap cap_net_bind_service=+ep PROGRAM`: take a higher one"
            : "the user of this process may not: `namei -l PATH` shows the owners and permissions on the way there"
    }

    private var permittedAdvice: String? {
        subject?.contains("EventLoop") == true ? "an EventLoop ends by its `shutdown`, or with the body of `run`" : nil
    }

    private var closedAdvice: String? {
        guard let subject else { return nil }
        if subject.contains("closed loop") { return "make a new Loop: a closed one cannot be used again" }
        return subject.contains("closed") ? "it was closed before: let one place close it, after the last use" : nil
    }

    private var readAdvice: String? {
        operation.hasPrefix("read") || operation == "startReading"
            ? "one reader at a time: let one task read and hand on what comes, by a Channel for example" : nil
    }

    private var busyAdvice: String? {
        guard operation == "close", subject?.contains("open handle") == true else { return nil }
        return "close them and run the loop once more, or call closeAllHandles() and run() before"
    }

    private var invalidAdvice: String? {
        guard let subject else { return nil }
        if subject.contains("\0") { return "text from strangers becomes a path by FilePath(validating:)" }
        return subject.contains("a timer") ? "a delay is not negative and an interval longer than zero" : nil
    }
}

extension UVError: CustomDebugStringConvertible {
    /// The description, and what to do about it.
    public var debugDescription: String { advice.map { "\(description): \($0)" } ?? description }
}
