/** Names from the user's code. `<bdi>` keeps right-to-left names from reordering the text around them. */

export function Name({ text, class: className }: { text: string; class?: string }) {
  return <bdi {...(className === undefined ? {} : { class: className })}>{text}</bdi>;
}

interface FunctionTitleProps {
  service: string;
  module: string;
  name: string;
}

/** The function, its module, and its service. */
export function FunctionTitle({ service, module, name }: FunctionTitleProps) {
  return (
    <>
      <strong>
        <Name text={name} />
      </strong>{" "}
      {module !== "" && (
        <>
          <Name text={module} class="module" />{" "}
        </>
      )}
      <Name text={service} class="service" />
    </>
  );
}
