/** Asks for the token, once in a tab. */
import { useEffect, useRef } from "preact/hooks";
import { setToken } from "../api/session.ts";
import { Notice } from "./notice.tsx";

interface TokenFormProps {
  /** What the server said. */
  reason: string;
  /** Whether a token was given, which does not do. */
  isRefused: boolean;
}

export function TokenForm({ reason, isRefused }: TokenFormProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const apply = (event: SubmitEvent) => {
    event.preventDefault();
    const value = input.current?.value.trim() ?? "";
    if (value !== "") setToken(value);
  };
  return (
    <Notice title={isRefused ? "This token may not read" : "A token is needed to read"}>
      <p role={isRefused ? "alert" : undefined}>{reason}</p>
      <form class="token" onSubmit={apply}>
        <label>
          Token
          <input ref={input} type="password" name="token" autocomplete="off" required />
        </label>
        <button type="submit" class="primary">
          Read
        </button>
      </form>
      <p class="quiet">It is one of READ_TOKENS or ADMIN_TOKENS, and is kept until this tab is closed.</p>
    </Notice>
  );
}
