/** A button that copies a text and says so. */
import { useState } from "preact/hooks";

interface CopyButtonProps {
  label: string;
  title: string;
  text: () => string;
}

export function CopyButton({ label, title, text }: CopyButtonProps) {
  const [said, setSaid] = useState("");
  const copy = async () => {
    const isCopied = await navigator.clipboard.writeText(text()).then(
      () => true,
      () => false,
    );
    setSaid(isCopied ? "Copied" : "Could not copy");
    setTimeout(() => setSaid(""), 2_000);
  };
  return (
    <button type="button" class="link" title={title} onClick={() => void copy()}>
      <span aria-live="polite">{said || label}</span>
    </button>
  );
}
