"""`phraseproof.evaluate` and `phraseproof.forecast`: an evaluation from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from phraseproof.core import Model
from phraseproof.errors import UsageError
from phraseproof.evaluation.distributed.pooled import WorkerSet
from phraseproof.evaluation.distributed.ray_pool import kept
from phraseproof.evaluation.distributed.worker_options import WorkerOptions
from phraseproof.evaluation.observer import Observer
from phraseproof.evaluation.request import EvaluationRequest, Tasks, Wordings
from phraseproof.evaluation.resolve import resolve
from phraseproof.evaluation.run import Forecast
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.evaluation.spec_types import SampleKind
from phraseproof.evaluation.stored_run import run_target
from phraseproof.models import ModelOptions
from phraseproof.store.local_copy import folder_if_any
from phraseproof.store.queries import Run

DEFAULTS = EvaluationSpec()


def evaluate(  # noqa: PLR0913 - every option is in the signature, so that help() and editors show it
    model: str | Model | EvaluationSpec,
    tasks: Tasks | None = None,
    instructions: Mapping[str, Wordings] | None = None,
    out: str | Path | None = None,
    *,
    data_dir: str | Path | None = DEFAULTS.data_dir,
    prompt_format: str = DEFAULTS.prompt_format,
    system: str | None = DEFAULTS.system,
    num_fewshot: int | Sequence[int] = DEFAULTS.num_fewshot,
    fewshot_seed: int | Sequence[int] = DEFAULTS.fewshot_seeds,
    fewshot_draws: int | None = DEFAULTS.fewshot_draws,
    option_orders: int = DEFAULTS.option_orders,
    limit: int | None = DEFAULTS.limit,
    max_prompt_tokens: int | None = DEFAULTS.max_prompt_tokens,
    sample: SampleKind = DEFAULTS.sample,
    seed: int = DEFAULTS.seed,
    scoring: str | Sequence[str] = DEFAULTS.scoring,
    extract: str = DEFAULTS.extract,
    reasoning: bool | str = DEFAULTS.reasoning,
    temperature: float = DEFAULTS.temperature,
    max_new_tokens: int | None = DEFAULTS.max_new_tokens,
    top_p: float = DEFAULTS.top_p,
    top_k: int = DEFAULTS.top_k,
    stop: str | Sequence[str] = DEFAULTS.stop,
    repeats: int = DEFAULTS.repeats,
    metric: str = DEFAULTS.metric,
    budget: str | float | None = DEFAULTS.budget,
    rescore_ties: bool = DEFAULTS.rescore_ties,
    log_samples: bool = DEFAULTS.log_samples,
    self_test: bool = DEFAULTS.self_test,
    model_options: ModelOptions = DEFAULTS.model_options,
    workers: str | WorkerOptions | WorkerSet | None = None,
    observer: Observer | None = None,
) -> Run:
    """Score a model on tasks under every wording, into a run folder. Only what the folder lacks is computed.

    Args:
        model: a Hugging Face hub id, a model folder, `openai/NAME`, `pocket`, `scripted`, or a loaded model. Or an
            `EvaluationSpec`, which holds all options; only `out`, `workers` and `observer` may then be given as well.
        tasks: built-in names (`"mmlu,bbl"`), paths of task files, `Task` objects, or a list of these.
        instructions: for each group of wordings (`observed`, `unobserved`, or any name) its collections: shipped
            names, paths of collection files, `Collection` objects, or a list of these.
        out: the run folder, or a URL in object storage (docs/object-storage.md). The same call continues a run that
            was stopped.
        data_dir: a folder with the built-in benchmarks' published files, instead of the hub; of tasks `lm_eval/NAME`
            a folder of YAML files.
        prompt_format: `plain`, `alpaca`, `chat`, or `auto` (chat if the model declares a chat template).
        system: the system prompt of all wordings that do not have their own.
        num_fewshot: the number of demonstrations in a prompt; several numbers are each evaluated.
        fewshot_seed: the seed of the draw of demonstrations; several seeds are each evaluated.
        fewshot_draws: how many draws of demonstrations are evaluated, with seeds from `fewshot_seed` upwards. `None`:
            the seeds that are listed.
        option_orders: in how many orders the options are shown: the task's own, and others drawn at random.
        limit: the maximum number of examples per task, sampled by `seed`. `None`: all examples.
        max_prompt_tokens: only examples whose prompts have at most this number of tokens under every wording. `None`:
            all examples.
        sample: `stratified` draws classes in proportion where all examples choose among the same answers; `random`;
            `auto` is stratified, but random in a run folder that was started with random.
        seed: the seed of that sample, and of the cells that a budget buys.
        scoring: `loglikelihood`, `loglikelihood_norm`, `paper`, `first_token`, `generate`, or `auto`: the most exact
            one that the model offers (docs/scoring.md); several are each evaluated, in one pass where that is enough.
        extract: how an option is read from a generated answer: `auto`, `last_line`, `option_text`, `conclusion` or
            `regex:PATTERN` (docs/scoring.md).
        reasoning: ask for a reasoning before the answer; a text is the sentence that asks for it.
        temperature: of generated answers; 0 takes the most likely token.
        max_new_tokens: the maximum number of tokens of a generated answer. `None`: from the lengths of the references
            of free-text tasks, and 256 for tasks with options (1024 with a reasoning).
        top_p: of generated answers; tokens are drawn among the most likely ones that together have this probability.
        top_k: of generated answers; tokens are drawn among this number of most likely ones, 0 for all.
        stop: texts; a generated answer ends before the first of them in it.
        repeats: how often each answer is generated, each time with another seed.
        metric: what the score of an answer is in; `auto` is the default of the tasks' kinds (docs/tasks.md).
        budget: the share of the grid of wordings and examples to score, as in `"5%"`; the rest is estimated
            (docs/budget.md). `None`: all of it.
        rescore_ties: score choices again in float32 that half precision leaves too close to decide.
        log_samples: store the full text of every prompt.
        self_test: check the model's scores before the run.
        model_options: how a model that is given by name is loaded: dtype, device, adapter and so on.
        workers: workers of Ray that compute, as in `"local:4"` or `"ray"`, or with what each one gets
            (docs/workers.md), or those of `kept_workers`. `None`: this process, or one process per device.
        observer: receives progress and warnings.

    Returns:
        The run, opened for reading. Cells that failed are in `Run.failures`.

    Raises:
        PhraseproofError: something in the input is wrong. What was computed is kept.
    """
    request = _request(
        model,
        tasks,
        instructions,
        data_dir=data_dir,
        prompt_format=prompt_format,
        system=system,
        num_fewshot=num_fewshot,
        fewshot_seeds=fewshot_seed,
        fewshot_draws=fewshot_draws,
        option_orders=option_orders,
        limit=limit,
        max_prompt_tokens=max_prompt_tokens,
        sample=sample,
        seed=seed,
        scoring=scoring,
        extract=extract,
        reasoning=reasoning,
        temperature=temperature,
        max_new_tokens=max_new_tokens,
        top_p=top_p,
        top_k=top_k,
        stop=stop,
        repeats=repeats,
        metric=metric,
        budget=budget,
        rescore_ties=rescore_ties,
        log_samples=log_samples,
        self_test=self_test,
        model_options=model_options,
    )
    if out is None:
        raise UsageError("no run folder is named", where="out", hint="Say where to keep the results: out='runs/NAME'")
    with run_target(Path(out), observer) as target, kept(workers) as all_workers:
        evaluation = resolve(request, out=target.folder, observer=target.observer, workers=all_workers)
        return evaluation.run(target.folder, observer=target.observer, self_test=request.spec.self_test)


def forecast(  # noqa: PLR0913 - as for `evaluate`
    model: str | Model | EvaluationSpec,
    tasks: Tasks | None = None,
    instructions: Mapping[str, Wordings] | None = None,
    out: str | Path | None = None,
    *,
    data_dir: str | Path | None = DEFAULTS.data_dir,
    prompt_format: str = DEFAULTS.prompt_format,
    system: str | None = DEFAULTS.system,
    num_fewshot: int | Sequence[int] = DEFAULTS.num_fewshot,
    fewshot_seed: int | Sequence[int] = DEFAULTS.fewshot_seeds,
    fewshot_draws: int | None = DEFAULTS.fewshot_draws,
    option_orders: int = DEFAULTS.option_orders,
    limit: int | None = DEFAULTS.limit,
    max_prompt_tokens: int | None = DEFAULTS.max_prompt_tokens,
    sample: SampleKind = DEFAULTS.sample,
    seed: int = DEFAULTS.seed,
    scoring: str | Sequence[str] = DEFAULTS.scoring,
    extract: str = DEFAULTS.extract,
    reasoning: bool | str = DEFAULTS.reasoning,
    temperature: float = DEFAULTS.temperature,
    max_new_tokens: int | None = DEFAULTS.max_new_tokens,
    top_p: float = DEFAULTS.top_p,
    top_k: int = DEFAULTS.top_k,
    stop: str | Sequence[str] = DEFAULTS.stop,
    repeats: int = DEFAULTS.repeats,
    metric: str = DEFAULTS.metric,
    budget: str | float | None = DEFAULTS.budget,
    rescore_ties: bool = DEFAULTS.rescore_ties,
    log_samples: bool = DEFAULTS.log_samples,
    self_test: bool = DEFAULTS.self_test,
    model_options: ModelOptions = DEFAULTS.model_options,
    observer: Observer | None = None,
) -> Forecast:
    """Say how many cells, prompts and tokens `evaluate` with the same arguments would compute.

    Loads no weights and writes nothing.

    Args:
        model: a Hugging Face hub id, a model folder, `openai/NAME`, `pocket`, `scripted`, or a loaded model. Or an
            `EvaluationSpec`, which holds all options; only `out` and `observer` may then be given as well.
        tasks: built-in names (`"mmlu,bbl"`), paths of task files, `Task` objects, or a list of these.
        instructions: for each group of wordings (`observed`, `unobserved`, or any name) its collections: shipped
            names, paths of collection files, `Collection` objects, or a list of these.
        out: the run folder. What it already holds is not counted. `None`: count everything.
        data_dir: a folder with the built-in benchmarks' published files, instead of the hub; of tasks `lm_eval/NAME`
            a folder of YAML files.
        prompt_format: `plain`, `alpaca`, `chat`, or `auto` (chat if the model declares a chat template).
        system: the system prompt of all wordings that do not have their own.
        num_fewshot: the number of demonstrations in a prompt; several numbers are each evaluated.
        fewshot_seed: the seed of the draw of demonstrations; several seeds are each evaluated.
        fewshot_draws: how many draws of demonstrations are evaluated, with seeds from `fewshot_seed` upwards. `None`:
            the seeds that are listed.
        option_orders: in how many orders the options are shown: the task's own, and others drawn at random.
        limit: the maximum number of examples per task, sampled by `seed`. `None`: all examples.
        max_prompt_tokens: only examples whose prompts have at most this number of tokens under every wording. `None`:
            all examples.
        sample: `stratified` draws classes in proportion where all examples choose among the same answers; `random`;
            `auto` is stratified, but random in a run folder that was started with random.
        seed: the seed of that sample, and of the cells that a budget buys.
        scoring: `loglikelihood`, `loglikelihood_norm`, `paper`, `first_token`, `generate`, or `auto`: the most exact
            one that the model offers (docs/scoring.md); several are each evaluated, in one pass where that is enough.
        extract: how an option is read from a generated answer: `auto`, `last_line`, `option_text`, `conclusion` or
            `regex:PATTERN` (docs/scoring.md).
        reasoning: ask for a reasoning before the answer; a text is the sentence that asks for it.
        temperature: of generated answers; 0 takes the most likely token.
        max_new_tokens: the maximum number of tokens of a generated answer. `None`: from the lengths of the references
            of free-text tasks, and 256 for tasks with options (1024 with a reasoning).
        top_p: of generated answers; tokens are drawn among the most likely ones that together have this probability.
        top_k: of generated answers; tokens are drawn among this number of most likely ones, 0 for all.
        stop: texts; a generated answer ends before the first of them in it.
        repeats: how often each answer is generated, each time with another seed.
        metric: what the score of an answer is in; `auto` is the default of the tasks' kinds (docs/tasks.md).
        budget: the share of the grid of wordings and examples to score, as in `"5%"`; the rest is estimated
            (docs/budget.md). `None`: all of it.
        rescore_ties: score choices again in float32 that half precision leaves too close to decide.
        log_samples: store the full text of every prompt.
        self_test: check the model's scores before the run.
        model_options: how a model that is given by name is loaded: dtype, device, adapter and so on.
        observer: receives progress and warnings.

    Returns:
        The counts.

    Raises:
        PhraseproofError: something in the input is wrong.
    """
    request = _request(
        model,
        tasks,
        instructions,
        data_dir=data_dir,
        prompt_format=prompt_format,
        system=system,
        num_fewshot=num_fewshot,
        fewshot_seeds=fewshot_seed,
        fewshot_draws=fewshot_draws,
        option_orders=option_orders,
        limit=limit,
        max_prompt_tokens=max_prompt_tokens,
        sample=sample,
        seed=seed,
        scoring=scoring,
        extract=extract,
        reasoning=reasoning,
        temperature=temperature,
        max_new_tokens=max_new_tokens,
        top_p=top_p,
        top_k=top_k,
        stop=stop,
        repeats=repeats,
        metric=metric,
        budget=budget,
        rescore_ties=rescore_ties,
        log_samples=log_samples,
        self_test=self_test,
        model_options=model_options,
    )
    folder = None if out is None else folder_if_any(out)
    return resolve(request, out=folder, observer=observer, forecast=True).forecast(folder)


def _request(
    model: str | Model | EvaluationSpec,
    tasks: Tasks | None,
    instructions: Mapping[str, Wordings] | None,
    **options: object,
) -> EvaluationRequest:
    if not isinstance(model, EvaluationSpec):
        return EvaluationRequest.of(model, () if tasks is None else tasks, instructions or {}, **options)
    others = {"tasks": tasks, "instructions": instructions}
    changed = [name for name, value in others.items() if value is not None]
    changed += [name for name, value in options.items() if value != getattr(DEFAULTS, name)]
    if changed:
        raise UsageError(
            f"{changed[0]} is given in addition to a spec",
            expected="everything in the spec",
            hint=f"Change the spec: spec.with_changes({changed[0]}=...)",
        )
    return EvaluationRequest(model)
