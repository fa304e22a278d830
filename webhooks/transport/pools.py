"""requests' adapter and urllib3's pools, reduced to what a delivery needs.

A request goes through `HTTPAdapter.send` as it is, with everything it would look up again for each
request answered from what is known already: the target is judged, the pool is found by a small key,
the answer is read.
"""

from collections.abc import Iterator, Mapping
from time import monotonic
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool

from webhooks.addresses import NetworkPolicy, Target
from webhooks.transport.answers import Answer
from webhooks.transport.attempt import Attempt
from webhooks.transport.connections import (
    GuardedConnection,
    GuardedTlsConnection,
    Proxy,
    Route,
    StaleConnectionError,
)
from webhooks.transport.idle import IdleConnections, IdleShelf
from webhooks.transport.outcome import ClientCertificate
from webhooks.transport.resolver import Resolver
from webhooks.transport.tls import ContextKey, TlsContexts

# Pools of origins without connections are small; those beyond are forgotten, oldest use first.
MAX_ORIGINS = 512
_METHODS_WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})


class WireHeaders(Mapping[str, str]):
    """Headers in their order, with repetitions, as they go out. Reads like a mapping."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs

    def __getitem__(self, name: str) -> str:
        lower = name.lower()
        values = [value for known, value in self.pairs if known.lower() == lower]
        if not values:
            raise KeyError(name)
        return ", ".join(values)

    def __iter__(self) -> Iterator[str]:
        return iter({name.lower(): name for name, _ in self.pairs}.values())

    def __len__(self) -> int:
        return len({name.lower() for name, _ in self.pairs})


class PreparedDelivery(requests.PreparedRequest):
    """A request that is ready to go: judged, checked, encoded."""

    def __init__(self, method: str, target: Target, headers: WireHeaders, body: bytes) -> None:
        super().__init__()
        self.method = method
        self.url = target.url
        self.headers = headers  # type: ignore[assignment]
        self.body = body
        self.target = target


class GuardedPool(HTTPConnectionPool):
    """The connections of one origin, one way of trusting, one client certificate."""

    ConnectionCls = GuardedConnection

    def __init__(
        self, host: str, port: int, *, route: Route, idle: IdleConnections, **kwargs: Any
    ) -> None:
        self._route = route
        self._shelf = IdleShelf(idle)
        super().__init__(host, port, route=route, **kwargs)

    def _new_pool_queue(self, maxsize: int) -> Any:
        return self._shelf

    def urlopen(  # type: ignore[override]
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        timeout: Attempt,
        **kwargs: Any,
    ) -> Answer:
        """One request at most goes out. Raises Fault."""
        body = body or b""
        head = self._head(method, url, cast("WireHeaders", headers), body)
        connection = self._take()
        try:
            try:
                answer = connection.exchange(head, body, method, timeout)
            except StaleConnectionError:
                connection.close()
                answer = connection.exchange(head, body, method, timeout)
        except BaseException:
            connection.close()
            raise
        self._give_back(connection, answer)
        return answer

    def _head(self, method: str, url: str, headers: WireHeaders, body: bytes) -> bytes:
        route = self._route
        lines = [f"{method} {url} HTTP/1.1\r\nHost: {route.origin.host_header}"]
        lines += [f"{name}: {value}" for name, value in headers.pairs]
        if body or method in _METHODS_WITH_LENGTH:
            lines.append(f"Content-Length: {len(body)}")
        if route.proxy is not None and self.scheme == "http" and route.proxy.authorization:
            lines.append(route.proxy.authorization)
        lines.append("\r\n")
        return "\r\n".join(lines).encode()

    def _take(self) -> GuardedConnection:
        """An idle connection that is still open, or a new one."""
        now = monotonic()
        while (connection := self._shelf.take()) is not None:
            if connection.expires_at > now and connection.is_connected:
                return cast("GuardedConnection", connection)
            connection.close()
        return cast("GuardedConnection", self._new_conn())

    def _give_back(self, connection: GuardedConnection, answer: Answer) -> None:
        if not answer.reusable:
            connection.close()
            return
        connection.expires_at = connection.idle_until(answer)
        self._shelf.put(connection)


class GuardedTlsPool(GuardedPool, HTTPSConnectionPool):
    ConnectionCls = GuardedTlsConnection


class GuardedAdapter(HTTPAdapter):
    """An adapter whose every connection is judged. Faults pass through `send` as they are."""

    def __init__(
        self, policy: NetworkPolicy, idle: IdleConnections, tls: TlsContexts, proxy: Proxy | None
    ) -> None:
        super().__init__(pool_connections=MAX_ORIGINS, pool_maxsize=0)
        self._resolver = Resolver(policy)
        self._idle = idle
        self._tls = tls
        self._proxy = proxy

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: Any,
        proxies: Any = None,
        cert: Any = None,
    ) -> HTTPConnectionPool:
        target = cast("PreparedDelivery", request).target
        origin = target.origin
        tls = None
        if origin.scheme == "https":
            tls = self._tls.key(verify=verify, client_cert=cert)
        # All that a connection owes its existence to: who may use it is who has the same.
        key = (origin.scheme, origin.host, origin.port, target.trusted, tls)
        pools: Any = self.poolmanager.pools
        with pools.lock:
            pool: GuardedPool | None = pools.get(key)
            if pool is None:
                pool = pools[key] = self._new_pool(target, tls, cert)
            return pool

    def _new_pool(
        self, target: Target, tls: ContextKey | None, cert: ClientCertificate | None
    ) -> GuardedPool:
        origin = target.origin
        route = Route(origin, target.trusted, self._resolver, self._proxy)
        if tls is None:
            return GuardedPool(origin.host, origin.port, route=route, idle=self._idle)
        context = self._tls.context(tls, cert)
        return GuardedTlsPool(
            origin.host, origin.port, route=route, idle=self._idle, ssl_context=context
        )

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """The pool's TLS context says it all."""

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        target = cast("PreparedDelivery", request).target
        if self._proxy is not None and target.origin.scheme == "http":
            return target.url
        return target.path

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> Any:
        return resp if isinstance(resp, Answer) else super().build_response(req, resp)
