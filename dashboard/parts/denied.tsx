/** Nothing can be read: asks for a token, once in a tab, or says what the server lacks. */
import { useEffect, useRef } from "preact/hooks";
import { type Denial, setToken, token } from "../api/session.ts";
import { Notice } from "./notice.tsx";

interface DeniedProps {
  denied: Denial;
  /** Whether a token was given, which does not do. */
  isRefused: boolean;
}

export function Denied({ denied, isRefused }: DeniedProps) {
  if (denied.code === "no_tokens") {
    return (
      <Notice title="Nobody may read yet">
        <p role="alert">{denied.message}</p>
        <button type="button" class="primary" onClick={() => setToken(token())}>
          Try again
        </button>
      </Notice>
    );
  }
  return (
    <Notice title={isRefused ? "This token may not read" : "A token is needed to read"}>
      {isRefused ? (
        <p role="alert">The server does not know it, or knows it as one that may only send.</p>
      ) : (
        <p>This server tells its numbers to whoever has one of its READ_TOKENS or ADMIN_TOKENS.</p>
      )}
      <TokenForm />
      <p class="quiet">It is kept until this tab is closed.</p>
    </Notice>
  );
}

function TokenForm() {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const apply = (event: SubmitEvent) => {
    event.preventDefault();
    const value = input.current?.value.trim() ?? "";
    if (value !== "") setToken(value);
  };
  return (
    <form class="token" onSubmit={apply}>
      <label>
        Token
        <input ref={input} type="password" name="token" autocomplete="off" required />
      </label>
      <button type="submit" class="primary">
        Read
      </button>
    </form>
  );
}
