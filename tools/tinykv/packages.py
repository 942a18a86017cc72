"""What a machine needs: Debian's own packages, under the names of Debian 12 and Ubuntu 24.04."""
from __future__ import annotations

# Package -> what it is for. `build` is needed by every command that compiles.
BUILD = {
    # tools
    "g++": "the compiler",
    "cmake": "describes the build",
    "ninja-build": "runs the build",
    "pkg-config": "finds libraries that bring no CMake files",
    "ccache": "makes a second build of the same source fast",
    # the wire
    "libgrpc++-dev": "the server, the client and their services",
    "libgrpc-dev": "the core of gRPC",
    "libprotobuf-dev": "messages",
    "protobuf-compiler": "makes C++ of proto/",
    "protobuf-compiler-grpc": "the same, for services",
    "libssl-dev": "gRPC is linked with it",
    "libc-ares-dev": "gRPC is linked with it",
    "libre2-dev": "gRPC is linked with it",
    "zlib1g-dev": "checksums of snapshots; gRPC is linked with it",
    # libraries
    "libabsl-dev": "Status, StatusOr, containers",
    "libasio-dev": "executors, timers, coroutines",
    "libzstd-dev": "compresses the blocks of sorted tables",
    "libxxhash-dev": "checksums of blocks and log records",
    "libspdlog-dev": "the log",
    "libcli11-dev": "command lines",
    "libtomlplusplus-dev": "configuration files",
    "nlohmann-json3-dev": "JSON of the status page, the client and the benchmarks",
    "libcpp-httplib-dev": "the status page",
    "prometheus-cpp-dev": "metrics",
    "libjemalloc-dev": "the allocator of the servers",
    "libedit-dev": "line editing and history in the client",
    # tests and benchmarks
    "libgtest-dev": "unit tests",
    "librapidcheck-dev": "property tests",
    "libbenchmark-dev": "micro-benchmarks",
    "libnghttp2-dev": "the load generator's connections",
}

# Needed by lint and test besides.
LINT = {
    "clang-16": "the headers that clang-tidy reads with",
    "clang-tidy-16": "static analysis",
    "clang-format-16": "one layout for all",
}

# Needed by `./tinykv bench cluster --against etcd` alone.
PEERS = {
    "etcd-server": "etcd, a peer to measure against",
}
