"""The templates of the wordings: observed wordings, paraphrases, validation and test wordings, for each kind of task.

A template is a line of words with spaces between them. `{pick}` becomes a concept of the lexicon, `{about}` becomes the
name of an attribute. The weights that ship were trained and measured with these templates.
"""

from __future__ import annotations


def lines(text: str) -> tuple[str, ...]:
    """The lines of a text, without leading and trailing white space."""
    return tuple(line.strip() for line in text.strip().splitlines())


OBSERVED = {
    "choose": lines("""
        {read} the {note} , then {pick} the {option} naming the {about} .
        what does the {note} say about the {about} ? {give} a {letter} .
        which {option} is {right} as the {about} ?
        {pick} one {letter} for the {about} in this {note} .
        here is a {note} . {give} the {letter} for its {about} .
        the question is the {about} . {pick} one {option} .
        {give} the {letter} next to the {right} {about} .
        by the {note} , which {letter} stands for the {about} ?
        please {read} the {note} and {pick} its {about} by {letter} .
        four lines , one {about} : {pick} the {letter} .
        {pick} the {right} {option} for the {about} .
        what is the {about} ? {give} its {letter} .
    """),
    "label": lines("""
        {read} the {note} , then {give} the {about} as a {label} .
        what is the {about} in this {note} ? {give} one {label} .
        {sort} the {note} by its {about} .
        here is a {note} . which {label} is its {about} ?
        the {label} should be the {right} {about} .
        {give} this {note} its {about} as a {label} .
        please {sort} by {about} .
        by the {note} , what {label} is {right} for the {about} ?
        {sort} each {note} under its {about} .
        one {label} , please : the {about} .
        {give} the {right} {label} for the {about} .
        {read} the {note} and {sort} it by {about} .
    """),
    "has": lines("""
        {check} {if} the {note} {has} its {about} .
        is the {about} given in this {note} ? answer yes or no .
        yes or no : the {note} {has} its {about} .
        {read} the {note} and {check} {if} it {has} the {about} .
        here is a {note} . is there any {about} in it ?
        please {check} the {note} for its {about} .
        say yes if the {about} is in the {note} , else no .
        is it true that the {note} {has} the {about} ?
        {check} , yes or no , {if} the {about} is there .
        the {about} : is it in the {note} ? yes or no .
        {if} the {note} {has} the {about} , say yes .
        does the {note} give the {about} ? yes or no .
    """),
}

PARAPHRASE = {
    "choose": lines("""
        {pick} whichever {option} matches the {about} .
        indicate the {letter} of the {about} , please .
        considering the {note} , the {about} is which {letter} ?
        i would like the {letter} belonging to the {about} .
        out of these , {pick} the {right} {about} .
        {read} the following {note} and {give} the {about} by its {letter} .
        your {letter} must match the {about} .
        settle on the {about} and {give} that {letter} .
        tell me the {letter} beside the {about} .
        one {option} is the {right} {about} ; {pick} it .
        we want to know the {about} . {pick} its {letter} .
        every {option} but one is wrong about the {about} . {pick} the {right} one .
    """),
    "label": lines("""
        indicate the {about} , using one {label} .
        considering the {note} , {give} the {right} {label} for its {about} .
        i would like a {label} matching the {about} .
        {sort} the following {note} according to {about} .
        your {label} must match the {about} .
        out of the {note} , {give} only the {about} .
        the {about} , as one {label} , is what i need .
        put the {note} where its {about} belongs .
        tell me the {about} with one {label} .
        we want to know the {about} ; {give} the {label} alone .
        the {about} , in a single {label} ?
        find the {right} {label} describing the {about} .
    """),
    "has": lines("""
        indicate {if} the {note} {has} some {about} .
        considering the {note} , is any {about} present ?
        i would like to know {if} the {about} is present .
        {check} {if} the following {note} {has} the {about} .
        respond yes when the {note} {has} the {about} .
        your answer must be yes only when it {has} the {about} .
        can the {about} be seen in the {note} ? yes or no .
        the {note} {has} some {about} ; yes or no ?
        tell me {if} the {note} {has} something about the {about} .
        we want to know {if} the {about} appears .
        {check} that the {note} really {has} the {about} .
        only say yes when the {note} {has} the {about} .
    """),
}

VALIDATION = {
    "choose": lines("""
        show which {letter} belongs with the {about} .
        what {option} would you {pick} for the {about} ?
        knowing the {note} , {give} the {letter} of its {about} .
        my question concerns the {about} ; {pick} a {letter} .
        {pick} well : only one {option} holds the {about} .
        {pick} only the {option} describing the {about} .
        after you {read} the {note} , {give} the {about} with one {letter} .
        looking at the {note} , where do you find the {about} ? {give} its {letter} .
        suppose someone asked for the {about} ; which {letter} fits ?
        {note} first , then {letter} : what about the {about} ?
        {letter} , please , for the {about} .
        point me to the {option} where the {about} stands .
        {read} it all and then {pick} , by {letter} , the {about} .
        we are after the {about} here . which {option} is that ?
        among four things said , {pick} the one on the {about} .
        all i ask : the {letter} of the {right} {option} for the {about} .
        {give} just one {letter} , namely that of the {about} .
        can you {pick} the {about} ? its {letter} will do .
        leave the rest aside and {pick} the {option} on the {about} .
        as for the {about} , {give} the {letter} where it stands .
        somewhere in this {note} stands the {about} : {pick} its {option} .
        with this {note} in hand , {pick} the {right} {option} for the {about} .
        no more than a {letter} is needed : that of the {about} .
        {pick} what the {note} tells us on the {about} .
        my boss needs the {about} . {give} the {letter} of that {option} .
        go through every {option} until you meet the {about} , then {give} its {letter} .
    """),
    "label": lines("""
        show the {about} as a single {label} .
        what {label} would you {give} for the {about} ?
        knowing the {note} , {sort} it along its {about} .
        my question concerns the {about} ; {give} a {label} .
        which {label} does its {about} deserve ?
        after you {read} the {note} , {sort} it using its {about} .
        looking at the {note} , which {label} fits the {about} ?
        suppose someone asked for the {about} : what would you {give} ?
        only the {about} matters ; {sort} the {note} .
        someone wrote one {about} in the {note} . {give} that {label} .
        {label} , please , for the {about} .
        point me to the {about} by {label} .
        {read} it all and then {give} , in a {label} , the {about} .
        we are after the {about} here . which {label} is that ?
        all i ask : a {label} for the {about} .
        can you {give} the {about} ? one {label} will do .
        leave the rest aside and {give} the {about} .
        as for the {about} , {give} the {right} {label} .
        somewhere in this {note} stands the {about} : {give} it .
        with this {note} in hand , {sort} it by the {about} .
        no more than a {label} is needed : that of the {about} .
        {give} what the {note} tells us on the {about} .
        my boss needs the {about} . {give} it in one {label} .
        {sort} the {note} with nothing but the {about} in mind .
        going by the {about} , under which {label} would you {sort} this {note} ?
        let the {about} decide how you {sort} this {note} .
    """),
    "has": lines("""
        show {if} the {about} can be learned here .
        would you say that the {note} {has} the {about} ?
        knowing the {note} , {check} {if} there is some {about} .
        my question concerns the {about} ; does it appear ?
        {check} well : maybe the {note} {has} the {about} .
        after you {read} the {note} , {check} {if} its {about} is known .
        looking at the {note} , do you find the {about} ? yes or no .
        suppose someone asked for the {about} ; {check} {if} the {note} {has} it .
        someone wrote the {note} ; {check} {if} it {has} the {about} .
        do you find the {about} anywhere in the {note} ?
        i wonder {if} the {about} stands in this {note} .
        let me know {if} this {note} {has} the {about} .
        {read} it all and then {check} {if} the {about} is there .
        we are after the {about} here . is it in the {note} , yes or no ?
        all i ask is {if} the {note} {has} the {about} .
        can you {check} {if} the {note} {has} the {about} ?
        leave the rest aside and {check} the {note} for the {about} .
        as for the {about} , {check} {if} the {note} {has} it .
        somewhere in this {note} there may be the {about} : {check} {if} so .
        is there anything on the {about} in this {note} , yes or no ?
        no more than yes or no is needed : is the {about} there ?
        yes means that the {note} {has} the {about} .
        my boss needs the {about} . {check} {if} the {note} {has} it .
        go through the {note} and {check} {if} it {has} the {about} .
        before we go on , {check} {if} the {note} {has} the {about} .
        {check} once more {if} the {note} {has} any {about} .
    """),
}

TEST = {
    "choose": lines("""
        which of these four lines tells us the {about} ? answer with its {letter} .
        as your answer , put the {letter} of the {option} where the {about} is given .
        find the {option} that is about the {about} and respond with nothing but its {letter} .
        kindly {give} the {letter} of whichever {option} tells the {about} .
        when you know which {option} holds the {about} , let me know its {letter} .
        i need to know where the {about} is given ; please answer by {letter} .
        in which {option} can one find the {about} ?
        each {option} tells us something ; {pick} the one that tells us the {about} .
        would you please {pick} the {option} that is about the {about} ?
        what we need is the {option} with the {about} ; which {letter} is it ?
        when asked for the {about} , which {letter} should one {give} ?
        this is what you are asked : which {letter} is the one beside the {about} ?
        {read} all four lines and decide which tells the {about} ; your answer is its {letter} .
        just the {letter} , please : where does the {about} appear ?
        you may {pick} only one {option} , and it should be the one with the {about} .
        nothing but the {about} matters to me , so {give} the {letter} of the {option} that tells it .
    """),
    "label": lines("""
        this {note} must be put under its {about} ; {give} the {right} {label} .
        answer with the {label} that tells us the {about} .
        kindly {give} the {about} that you find in the {note} .
        how would you {sort} this {note} , considering its {about} ?
        do you know the {about} ? then respond with that {label} alone .
        what is the {about} said to be ? just a single {label} , please .
        once you know the {about} , {sort} the {note} by it .
        if someone asked you the {about} , which {label} would be your answer ?
        each {note} belongs under one {label} , its {about} : {sort} this one .
        the {label} i want is the one for the {about} .
        find the {about} in the {note} and let that {label} be your answer .
        as a favour to us , would you {sort} the {note} by its {about} ?
        you are asked for the {about} : the {right} {label} and nothing more .
        {read} what is said of the {about} , then {give} that {label} .
        what does this {note} tell us the {about} is ?
        if we {sort} by the {about} , where should this {note} go ?
    """),
    "has": lines("""
        if someone needs the {about} , will this {note} tell it ? answer yes or no .
        if the {note} tells us nothing of the {about} , respond no ; or else , yes .
        please answer yes or no : with this {note} alone , do we know the {about} ?
        it matters to us {if} the {note} {has} the {about} ; respond yes or no .
        would you kindly {check} {if} we are given the {about} in this {note} ?
        someone may say that this {note} {has} the {about} . is that true ?
        {check} {if} one of the four things said is the {about} .
        is anything said of the {about} ? just yes or no , please .
        will i know the {about} once i {read} this {note} ?
        answer yes once you find the {about} in this {note} , or no if you find nothing on it .
        we need to decide {if} the {note} {has} the {about} ; what is your answer , yes or no ?
        yes or no : can you point to where the {note} {has} the {about} ?
        let us {check} this {note} : does it tell the {about} , yes or no ?
        the question here is {if} we can find the {about} in the {note} .
        please say {if} the {about} is something that this {note} {has} .
        it is for you to {check} {if} this {note} tells us the {about} .
    """),
}
