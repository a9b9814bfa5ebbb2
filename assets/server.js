// How the page asks its server: Dash's callbacks, by a request of its own. A write into one of Dash's stores would ask the
// same, but its renderer then visits every component of the page (30 to 40 ms a stroke), and it hides the status that
// tells a refusal from a server that is away.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});

  // The server understood and said no: its sentence is for the visitor, and asking again would not help.
  explorer.Refused = class Refused extends Error {};

  const address = () => `${JSON.parse(explorer.byId("_dash-config").textContent).requests_pathname_prefix}_dash-update-component`;

  // Ask the callback that answers `input.data` with `output.data`, an answer that is JSON in a string.
  explorer.askServer = async function (output, input, question, signal) {
    const body = {
      output: `${output}.data`,
      outputs: { id: output, property: "data" },
      inputs: [{ id: input, property: "data", value: question }],
      changedPropIds: [`${input}.data`],
    };
    const response = await fetch(address(), {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(body),
      signal,
    });
    if (response.status === 400 || response.status === 413) throw new explorer.Refused(await response.text());
    if (!response.ok) throw new Error(`${response.status}`);
    const answer = JSON.parse((await response.json()).response[output].data);
    if (answer.ask !== question.ask) throw new Error("this answers another question");
    return answer;
  };
})();
