internal import CLibuv
internal import CPlatform
internal import SystemPackage
internal import UVPlatform

/// One start of a child process: the texts and descriptors for the system, and the pipes to the child.
///
/// There are two ways to start. The fast one shares this process's memory with the child until that has become its program. The other
/// is libuv's `fork`, for older systems and for a child that is another user's, to whom this process's memory must not be shown.
///
/// All descriptors go to libuv as such and not as streams, because libuv's own pipes are sockets, which a child cannot open
/// again by `/dev/stdout`, and because a stream that fails after the start would make a running child a failure.
@safe
final class Spawn {
    /// The most descriptors beside the three standard ones. For more libuv needs memory, and its versions differ in whether a
    /// handle is theirs when there is none.
    static let mostFurther = 5

    /// Our ends of the pipes, by the child's number.
    private(set) var pipes: [Int: PipeHandle] = [:]
    private let program: String
    private let options: ProcessOptions
    private let texts: [String]
    private let arguments: CStrings
    private let variables: [String]?
    private let environment: CStrings?
    private let directory: CStrings?
    private var stdio: [uv_stdio_container_t] = unsafe []
    private var childEnds: [FileDescriptor] = []
    private var given: [StreamHandle] = []
    private var status: CInt = 0

    /// Makes the pipes.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for a text with a NUL, `.tooManyOpenFiles`.
    init(
        _ program: String, _ arguments: [String], _ options: ProcessOptions, _ streams: [StandardStream],
        on loop: Loop
    ) throws(UVError) {
        self.program = program
        self.options = options
        let arguments = [program] + arguments
        for (index, argument) in arguments.enumerated() where argument.utf8.contains(0) {
            let place = index == 0 ? "its name" : "argument \(index)"
            throw UVError(.invalidArgument, in: "spawn", of: "\(program.debugDescription) with a NUL in \(place)")
        }
        texts = arguments
        self.arguments = CStrings(arguments)
        variables = try options.environment.variables(for: program)
        environment = variables.map { CStrings($0) }
        directory = options.directory.map { CStrings([$0.string]) }
        do throws(UVError) {
            for (number, stream) in streams.enumerated() {
                let container = unsafe try container(for: stream, number, on: loop)
                unsafe stdio.append(container)
            }
        } catch {
            closeChildEnds()
            closePipes()
            throw error
        }
    }

    private func container(
        for stream: StandardStream, _ number: Int, on loop: Loop
    ) throws(UVError) -> uv_stdio_container_t {
        var container = unsafe uv_stdio_container_t()
        unsafe container.flags = UV_INHERIT_FD
        switch stream {
        case .null: unsafe container.flags = UV_IGNORE
        case .inherit: unsafe container.data.fd = CInt(number)
        case .pipe: unsafe container.data.fd = try makePipe(number, on: loop).rawValue
        case .file(let file):
            guard fcntl(file.rawValue, F_GETFD) != -1 else {
                throw UVError(.badFileDescriptor, in: "spawn", of: "\(program) with descriptor \(file.rawValue)")
            }
            unsafe container.data.fd = file.rawValue
        case .stream(let handle):
            if handle.isFiltered {
                throw UVError(.notSupported, in: "spawn", of: "\(program) with an encrypted connection")
            }
            unsafe container.data.fd = try handle.fileDescriptor.rawValue
            given.append(handle)
        }
        return unsafe container
    }

    /// - Returns: The child's end.
    private func makePipe(_ number: Int, on loop: Loop) throws(UVError) -> FileDescriptor {
        let ends: (readEnd: FileDescriptor, writeEnd: FileDescriptor)
        do { ends = try PipeHandle.pipe() } catch {
            throw UVError(error.code, in: "spawn", of: "\(program) with a pipe")
        }
        // The child reads its input and writes everything else.
        let (ours, childs) = number == 0 ? (ends.writeEnd, ends.readEnd) : (ends.readEnd, ends.writeEnd)
        childEnds.append(childs)
        let pipe: PipeHandle
        do { pipe = try PipeHandle(on: loop) } catch {
            ours.closeIgnoringErrors()
            throw error
        }
        pipe.label = "the \(number == 0 ? "input" : number == 1 ? "output" : "errors") of \(program)"
        pipes[number] = pipe
        do { try pipe.open(ours) } catch {
            ours.closeIgnoringErrors()
            throw error
        }
        return childs
    }

    // MARK: The start

    /// Whether libuv is to start the child.
    var isForked: Bool {
        options.isForked || options.user != nil || options.group != nil || cplatform_can_start_child() == 0
    }

    /// Starts the child without libuv.
    ///
    /// - Returns: The child's number, and a descriptor of it.
    /// - Throws: What the start has failed with. All that was made for the child is closed then.
    func start() throws(UVError) -> (process: CInt, descriptor: CInt) {
        let candidates = CStrings(candidates)
        let shell = CStrings(["sh", ""] + texts.dropFirst())
        let descriptors = unsafe stdio.map { unsafe $0.flags == UV_IGNORE ? -1 : $0.data.fd }
        var descriptor: CInt = -1
        let process = unsafe descriptors.withUnsafeBufferPointer { descriptors in
            var child = unsafe cplatform_child()
            unsafe child.candidates = candidates.base
            unsafe child.arguments = arguments.base
            unsafe child.shell_arguments = shell.base
            unsafe child.environment = environment?.base
            unsafe child.directory = UnsafePointer(directory?.first)
            unsafe child.descriptors = descriptors.baseAddress
            unsafe child.count = CInt(descriptors.count)
            unsafe child.is_detached = options.isDetached ? 1 : 0
            return withExtendedLifetime((candidates, shell)) {
                unsafe cplatform_start_child(&child, &descriptor)
            }
        }
        status = process == -1 ? UVError.Code.lastSystemError.rawValue : 0
        closeChildEnds()
        try finish()
        return (process, descriptor)
    }

    /// The paths where the program may be, as execvp(3) has them.
    private var candidates: [String] {
        if program.isEmpty { return [] }
        if program.utf8.contains(UInt8(ascii: "/")) { return [program] }
        let path =
            variables.map { all in all.first { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) } }
            ?? (try? SystemInfo.environmentValue(of: "PATH"))
        return (path ?? "/bin:/usr/bin").split(separator: ":", omittingEmptySubsequences: false).map { folder in
            folder.isEmpty ? program : "\(folder)/\(program)"
        }
    }

    /// Starts the child: libuv's struct is a handle of the loop afterwards, even if that has failed.
    func begin(_ loop: UnsafeMutablePointer<uv_loop_t>, _ process: UnsafeMutablePointer<uv_process_t>) {
        var raw = unsafe uv_process_options_t()
        unsafe raw.exit_cb = childEnded
        unsafe raw.file = UnsafePointer(arguments.first)
        unsafe raw.env = environment?.base
        unsafe raw.cwd = UnsafePointer(directory?.first)
        var flags: UInt32 = 0
        if options.isDetached { flags |= UInt32(UV_PROCESS_DETACHED.rawValue) }
        if let user = options.user {
            flags |= UInt32(UV_PROCESS_SETUID.rawValue)
            unsafe raw.uid = user
        }
        if let group = options.group {
            flags |= UInt32(UV_PROCESS_SETGID.rawValue)
            unsafe raw.gid = group
        }
        unsafe raw.flags = flags
        unsafe raw.args = arguments.base
        let count = unsafe CInt(stdio.count)
        unsafe stdio.withUnsafeMutableBufferPointer { stdio in
            unsafe raw.stdio_count = count
            unsafe raw.stdio = stdio.baseAddress
            unsafe withUnsafePointer(to: raw) { options in
                var call = unsafe SpawnCall(loop: loop, process: process, options: options)
                // libuv takes its lock for signals. Its own pipe, by which the child tells of a failure, must not have a number
                // that the child is to have otherwise.
                unsafe withUnsafeMutablePointer(to: &call) { call in
                    ProcessExit.withSignals { unsafe cplatform_call_with_private_descriptors(count, spawnNow, call) }
                }
                unsafe status = call.status
            }
        }
        // A program that a thread of Dispatch or of the cooperative pool has started inherits that all signals are blocked.
        cplatform_unblock_signal(SIGCHLD)
        closeChildEnds()
    }

    /// - Throws: What the start has failed with. All that was made for the child is closed then.
    func finish() throws(UVError) {
        guard status < 0 else {
            for handle in given { handle.close() }
            return
        }
        closePipes()
        let code = UVError.Code(rawValue: status)
        throw UVError(code, in: "spawn", of: subject(of: code))
    }

    /// What a failure is about: libuv does not say whether it was the program, the directory or the user.
    private func subject(of code: UVError.Code) -> String {
        if let path = options.directory?.string, unsafe access(path, X_OK) != 0 || !isDirectory(path) { return path }
        if code == .notPermitted, options.user != nil || options.group != nil {
            let user = options.user.map { " as user \($0)" } ?? ""
            return program + user + (options.group.map { " in group \($0)" } ?? "")
        }
        if code == .noSuchFileOrDirectory, program.hasPrefix("/"), unsafe access(program, F_OK) == 0 {
            return "the interpreter of \(program)"
        }
        return program
    }

    private func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Ends a child for whose handle the system has no room.
    func abandon(_ process: CInt, _ descriptor: CInt) {
        _ = uv_kill(process, Signal.kill.rawValue)
        OrphanedChildren.add(process)
        FileDescriptor(rawValue: descriptor).closeIgnoringErrors()
        closePipes()
    }

    private func closeChildEnds() {
        for end in childEnds { end.closeIgnoringErrors() }
        childEnds = []
    }

    private func closePipes() { for pipe in pipes.values { pipe.close() } }
}

/// What the thread that calls libuv is given.
@unsafe
private struct SpawnCall {
    let loop: UnsafeMutablePointer<uv_loop_t>
    let process: UnsafeMutablePointer<uv_process_t>
    let options: UnsafePointer<uv_process_options_t>
    var status: CInt = 0
}

private func spawnNow(_ context: UnsafeMutableRawPointer?) {
    let call = unsafe context.unsafelyUnwrapped.assumingMemoryBound(to: SpawnCall.self)
    unsafe call.pointee.status = uv_spawn(call.pointee.loop, call.pointee.process, call.pointee.options)
}

/// Texts for C, with the NULL that ends their list.
@safe
private final class CStrings {
    private let pointers: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>

    init(_ texts: [String]) {
        unsafe pointers = .allocate(capacity: texts.count + 1)
        for (index, text) in texts.enumerated() { unsafe pointers.initializeElement(at: index, to: strdup(text)) }
        unsafe pointers.initializeElement(at: texts.count, to: nil)
    }

    deinit {
        for index in unsafe pointers.indices { unsafe free(pointers[index]) }
        unsafe pointers.deallocate()
    }

    var base: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? { unsafe pointers.baseAddress }
    var first: UnsafeMutablePointer<CChar>? { unsafe pointers[0] }
}
