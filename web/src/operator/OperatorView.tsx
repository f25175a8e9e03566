/** The operator's page: feed and gateway, kill switch, users, audit log. */
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { Client } from "../api/client.ts";
import { sentence } from "../api/problems.ts";
import type { Reauthentication } from "../session/reauthentication.ts";
import { AuditTable } from "./AuditTable.tsx";
import { FeedFigures } from "./FeedFigures.tsx";
import { KillSwitch } from "./KillSwitch.tsx";
import { OperatorStore } from "./operator.ts";
import { OperatorCalls } from "./operator_calls.ts";
import { UserTable } from "./UserTable.tsx";

const REFRESH_MS = 5_000;

interface OperatorViewProps {
  readonly client: Client;
  readonly reauthentication: Reauthentication;
}

export function OperatorView({ client, reauthentication }: OperatorViewProps) {
  const store = useMemo(() => {
    const calls = new OperatorCalls((path, options) => client.call(path, options));
    return new OperatorStore(calls, reauthentication);
  }, [client, reauthentication]);
  const trouble = useSignal<string | null>(null);
  const attempt = async (work: () => Promise<void>) => {
    trouble.value = null;
    try {
      await work();
    } catch (error) {
      trouble.value = sentence(error);
    }
  };
  useEffect(() => {
    void store.refresh();
    void store.search("");
    void store.readAudit();
    const timer = setInterval(() => !document.hidden && void store.refresh(), REFRESH_MS);
    return () => clearInterval(timer);
  }, [store]);
  return (
    <>
      <p role="alert" class="trouble">
        {trouble}
      </p>
      <FeedFigures store={store} />
      <KillSwitch store={store} attempt={attempt} />
      <UserTable store={store} attempt={attempt} />
      <AuditTable store={store} />
    </>
  );
}
